//! Properties and comparisons that need more than one file of the room.
