//! What a phone call would be worth over the measured path: the E-model of ITU-T G.107, simplified.
//!
//! R = 93.2 - Id - Ie,eff with every default of G.107 but these: the delay of the path, and its loss.
//! Id = 0.024 d + 0.11 (d - 177.3) for d > 177.3 ms (Cole and Rosenbluth's fit), d being the mean one-way delay of
//! the network alone, without jitter buffer and codec; for the round trip, half of it.
//! Ie,eff = 95 P / (P + Bpl), P the loss in percent taken for random, for G.711 with packet loss concealment
//! (Ie 0, Bpl 25.1: ITU-T G.113 appendix I). MOS follows from R by G.107 annex B.

use super::spread::Fixed;

/// An estimate for voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The transmission rating factor, 0 to 93.2.
    pub r: Fixed,
    /// The mean opinion score, 1 to 4.41.
    pub mos: Fixed,
}

impl Quality {
    /// Estimates from a one-way delay in microseconds and a loss in percent.
    pub(super) fn estimate(one_way: Fixed, lost_percent: Fixed) -> Self {
        let delay_millis = (to_float(one_way) / 1_000.0).max(0.0);
        let loss = to_float(lost_percent).clamp(0.0, 100.0);
        let beyond = (delay_millis - INTERACTIVE_MILLIS).max(0.0);
        let delay_impairment = 0.024 * delay_millis + 0.11 * beyond;
        let loss_impairment = 95.0 * loss / (loss + LOSS_ROBUSTNESS);
        let r = (BEST_R - delay_impairment - loss_impairment).max(0.0);
        let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
        Self {
            r: to_fixed(r),
            // Below R 6.5 the polynomial dips under the scale's lowest value.
            mos: to_fixed(mos.max(1.0)),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate; 2^53 hundred-thousandths are a day"
)]
fn to_float(fixed: Fixed) -> f64 {
    fixed.0 as f64 / DIGITS
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "callers give numbers from 0 to 100"
)]
fn to_fixed(number: f64) -> Fixed {
    Fixed((number * DIGITS).round() as i64)
}

const DIGITS: f64 = 100_000.0;
/// R without any impairment but the defaults.
const BEST_R: f64 = 93.2;
/// From here on a delay disturbs the turns of a conversation, in ms.
const INTERACTIVE_MILLIS: f64 = 177.3;
/// Bpl of G.711 with packet loss concealment, in percent.
const LOSS_ROBUSTNESS: f64 = 25.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_equals_the_hand_computed_one() {
        let best = Quality::estimate(Fixed(0), Fixed(0));
        assert_eq!((best.r, best.mos), (Fixed(9_320_000), Fixed(440_929)));
        // 93.2 - (0.024 * 277.3 + 0.11 * 100) - 95 * 1 / 26.1 = 71.90495.
        let fair = Quality::estimate(Fixed::micros(277_300_000), Fixed::whole(1));
        assert_eq!(fair.r, Fixed(7_190_495));
        let worst = Quality::estimate(Fixed::micros(60_000_000_000), Fixed::whole(100));
        assert_eq!((worst.r, worst.mos), (Fixed(0), Fixed::whole(1)));
        assert_eq!(Quality::estimate(Fixed(-5), Fixed(0)), best);
    }
}
