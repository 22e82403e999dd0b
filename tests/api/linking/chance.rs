//! What chance would do, and dice.

/// Probability that a Poisson variable with this mean is at least `least`.
pub fn poisson_tail(mean: f64, least: usize) -> f64 {
    if least == 0 {
        return 1.0;
    }
    // The first term by its logarithm, the others from it.
    let logarithm = -mean + least as f64 * mean.ln() - (1..=least).map(|factor| (factor as f64).ln()).sum::<f64>();
    let (mut term, mut sum) = (logarithm.exp(), 0.0);
    for next in least + 1.. {
        sum += term;
        term *= mean / next as f64;
        if term < sum * 1e-17 || term == 0.0 {
            break;
        }
    }
    sum.min(1.0)
}

/// A sequence of numbers that a seed repeats (splitmix64).
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// The numbers below `count` in some order.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }
}

#[test]
fn the_tail_is_the_one_of_the_tables() {
    let close = |found: f64, known: f64| assert!((found / known - 1.0).abs() < 1e-3, "{found} {known}");
    close(poisson_tail(1.0, 1), 1.0 - (-1.0_f64).exp());
    close(poisson_tail(1.0, 9), 1.1253e-6);
    close(poisson_tail(40.0, 53), 0.028057);
    close(poisson_tail(120.0, 235), 1.1811e-20);
    assert!(poisson_tail(120.0, 7200) < f64::EPSILON && (poisson_tail(2.0, 0) - 1.0).abs() < f64::EPSILON);
}
