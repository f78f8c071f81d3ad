"""One file per client; a case is a function named test_..."""
