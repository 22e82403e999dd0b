//! Planted leaks: what was carried off, as it would be if the product made this one mistake.

use ed25519_dalek::SigningKey;
use qingfeng_ballots::canonical::sha256;

use super::{
    chance::Dice,
    view::{BoxView, Key, length_in_words},
    voting::{Polled, Resident},
};

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub enum Leak {
    /// Rows loaded as the envelopes lay in the box.
    BoxOrder,
    /// Envelopes and rows are published sorted by one hash.
    OneHash,
    /// Envelopes as long as what is in them.
    NoPadding,
    /// Rows say when they came.
    CreatedAt,
    /// Rows say in which hour.
    Hour,
    /// Phones draw their randomness from who they are.
    Derived,
    /// The register's neighbour: rows beside persons.
    OneRow,
    /// One half of the village got keys of its own.
    SecondKey,
    /// Totals while the box is open.
    RunningTotals,
}

impl Leak {
    /// All of them, with the attack that has to find them and the fewest boxes on which it surely does.
    pub const ALL: [(Self, &str, usize); 9] = [
        (Self::BoxOrder, "box_entries by place = platform/ballot_rows by place", 1),
        (Self::OneHash, "requests by envelope = rows in the file", 1),
        (Self::NoPadding, "requests by size = rows by length in words", 1),
        (Self::CreatedAt, "requests by time of casting = platform/ballot_rows by created_at", 1),
        (Self::Hour, "requests by time of casting = platform/ballot_rows by hour", 100),
        (Self::Derived, "dictionary", 1),
        (Self::OneRow, "in one row", 1),
        (Self::SecondKey, "key class", 100),
        (Self::RunningTotals, "running totals", 1),
    ];

    /// Makes the mistake.
    pub fn make(self, view: &mut BoxView, residents: &[Resident], polled: &Polled, dice: &mut Dice) {
        let owners = view.owner.clone();
        let of_owner = |keys: &[Key]| owners.iter().map(|person| keys[*person].clone()).collect::<Vec<_>>();
        match self {
            Self::BoxOrder => {
                let places = of_owner(&view.persons["platform/box_entries by place"]);
                view.ballots.insert("platform/ballot_rows by place".into(), places);
            }
            Self::OneHash => {
                let hashes = of_owner(&view.persons["requests by envelope"]);
                view.ballots.insert("rows in the file".into(), hashes);
            }
            Self::NoPadding => {
                let length = |vote: &super::voting::Vote| {
                    Key::Number(5000 + length_in_words(&polled.manifest.questions, &vote.ballot) as u64)
                };
                view.persons.insert("requests by size".into(), polled.votes.iter().map(length).collect());
            }
            Self::CreatedAt => {
                let times = of_owner(&view.persons["requests by time of casting"]);
                view.ballots.insert("platform/ballot_rows by created_at".into(), times);
            }
            weak @ (Self::Hour | Self::SecondKey) => weak.make_weak(view, dice),
            Self::Derived => {
                for (ballot, person) in owners.iter().enumerate() {
                    let seed = sha256(&[residents[*person].open_id.as_bytes()]);
                    view.guessable[ballot][0] = SigningKey::from_bytes(&seed.0).verifying_key().to_bytes().to_vec();
                }
            }
            Self::OneRow => {
                view.together = owners.iter().enumerate().map(|(ballot, person)| (*person, ballot)).collect();
            }
            Self::RunningTotals => {
                let mut by_time: Vec<_> = (0..owners.len()).collect();
                by_time.sort_by_key(|ballot| view.cast[owners[*ballot]]);
                let questions = polled.manifest.questions.iter();
                let mut totals: Vec<Vec<u32>> = questions.map(|one| vec![0; one.options.len() + 1]).collect();
                for (answered, ballot) in by_time.into_iter().enumerate() {
                    for (question, answer) in view.answers[ballot].iter().enumerate() {
                        totals[question][usize::from(*answer)] += 1;
                    }
                    view.shown.push((answered + 1, totals.clone()));
                }
            }
        }
    }

    /// Makes one of those mistakes that tell only of many boxes together: nothing but their order is needed for them.
    pub fn make_weak(self, view: &mut BoxView, dice: &mut Dice) {
        let owners = view.owner.clone();
        match self {
            Self::Hour => {
                let hour = |person: &usize| Key::Number((view.cast[*person] / 25) as u64);
                let hours = owners.iter().map(hour).collect();
                view.ballots.insert("platform/ballot_rows by hour".into(), hours);
            }
            Self::SecondKey => {
                view.person_class = (0..owners.len()).map(|_| dice.below(2)).collect();
                view.ballot_class = owners.iter().map(|person| view.person_class[*person]).collect();
            }
            strong => panic!("{strong:?} is made of more than an order"),
        }
    }
}
