//! Whether a plan makes sense: what the form of a file cannot say.

mod dates;
mod figures;
mod names;
mod path;
mod schedule;

use super::plan::Plan;

pub(in crate::campaigns) use path::{Path, Step};

/// Something that makes no sense.
#[derive(Debug)]
pub(in crate::campaigns) struct Mistake {
    pub path: Path,
    pub sentence: String,
}

/// The mistakes found so far.
#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, path: Path, sentence: impl Into<String>) {
        self.0.push(Mistake { path, sentence: sentence.into() });
    }
}

/// Everything in the plan that makes no sense.
pub(in crate::campaigns) fn check(plan: &Plan) -> Vec<Mistake> {
    let mut mistakes = Mistakes::default();
    names::check(plan, &mut mistakes);
    dates::check(plan, &mut mistakes);
    figures::check(plan, &mut mistakes);
    schedule::check(plan, &mut mistakes);
    mistakes.0
}
