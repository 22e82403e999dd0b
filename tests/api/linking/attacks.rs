//! Every way of guessing whose ballot is whose. Each is scored by the pairs it finds; who guesses finds about one per box.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use qingfeng_ballots::canonical::sha256;

use super::{
    chance::{Dice, poisson_tail},
    view::{BoxView, Key},
};

/// The chance that a fair protocol is called leaky.
const FALSE_ALARMS: f64 = 1e-4;

/// An attack that does better than chance.
#[derive(Clone, Debug)]
pub struct Finding {
    pub attack: String,
    pub links: usize,
    /// Corrected for the number of attacks.
    pub probability: f64,
}

/// What all attacks found.
#[derive(Debug)]
pub struct Report {
    pub attacks: usize,
    pub best: Finding,
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn has(&self, attack: &str) -> bool {
        self.findings.iter().any(|finding| finding.attack.contains(attack))
    }
}

/// Runs all attacks on all boxes.
pub fn attack(boxes: &[BoxView], seed: u64) -> Report {
    let mut dice = Dice::new(seed);
    let mut links: BTreeMap<String, usize> = BTreeMap::new();
    for view in boxes {
        for (attack, found) in of_box(view, &mut dice) {
            *links.entry(attack).or_default() += found;
        }
    }
    let attacks = links.len();
    let finding = |(attack, links): (&String, &usize)| {
        let alone = poisson_tail(boxes.len() as f64, *links);
        Finding { attack: attack.clone(), links: *links, probability: (alone * attacks as f64).min(1.0) }
    };
    let mut findings: Vec<_> = links.iter().map(finding).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.links));
    let best = findings[0].clone();
    findings.retain(|finding| finding.probability < FALSE_ALARMS);
    Report { attacks, best, findings }
}

/// By attack, how many persons of a box it gives their ballots.
fn of_box(view: &BoxView, dice: &mut Dice) -> BTreeMap<String, usize> {
    let mut links = BTreeMap::new();
    for (person_name, persons) in &view.persons {
        for (ballot_name, ballots) in &view.ballots {
            for backwards in [false, true] {
                let guess = in_order(persons, ballots, backwards, dice);
                let sign = if backwards { "−" } else { "" };
                links.insert(format!("{person_name} = {sign}{ballot_name}"), right(view, &guess));
            }
        }
    }
    let together: BTreeSet<_> = view.together.iter().copied().collect();
    links.insert("in one row".into(), right(view, &Vec::from_iter(together)));
    links.insert("dictionary over identifiers".into(), right(view, &dictionary(view)));
    links.insert("key class".into(), right(view, &same_class(view, dice)));
    links.insert("running totals".into(), right(view, &running_totals(view, dice)));
    links
}

fn right(view: &BoxView, guess: &[(usize, usize)]) -> usize {
    guess.iter().filter(|(person, ballot)| view.owner[*ballot] == *person).count()
}

/// Both put in order, the first to the first; equal ones in any order.
fn in_order(persons: &[Key], ballots: &[Key], backwards: bool, dice: &mut Dice) -> Vec<(usize, usize)> {
    let mut sorted = |keys: &[Key]| {
        let mut order = dice.order(keys.len());
        order.sort_by(|one, other| keys[*one].cmp(&keys[*other]));
        order
    };
    let (persons, mut ballots) = (sorted(persons), sorted(ballots));
    if backwards {
        ballots.reverse();
    }
    persons.into_iter().zip(ballots).collect()
}

/// Keys and prefixes that can be worked out from what is known of a person.
fn dictionary(view: &BoxView) -> Vec<(usize, usize)> {
    let mut guess = Vec::new();
    for (person, known) in view.known.iter().enumerate() {
        let derived: BTreeSet<Vec<u8>> = known.iter().flat_map(|identifier| derived_from(identifier)).collect();
        for (ballot, numbers) in view.guessable.iter().enumerate() {
            if numbers.iter().any(|number| derived.contains(number)) {
                guess.push((person, ballot));
            }
        }
    }
    guess
}

fn derived_from(identifier: &[u8]) -> Vec<Vec<u8>> {
    let labels: [&[u8]; 5] = [b"", b"ballot", b"bbk1", b"bbk1/ballot\0", b"seed"];
    let mut derived = vec![identifier.to_vec()];
    for label in labels {
        for seed in [sha256(&[identifier, label]), sha256(&[label, identifier])] {
            derived.push(seed.0.to_vec());
            derived.push(SigningKey::from_bytes(&seed.0).verifying_key().to_bytes().to_vec());
        }
    }
    if let Ok(seed) = <[u8; 32]>::try_from(identifier) {
        derived.push(SigningKey::from_bytes(&seed).verifying_key().to_bytes().to_vec());
    }
    derived
}

/// Any ballot of the same key.
fn same_class(view: &BoxView, dice: &mut Dice) -> Vec<(usize, usize)> {
    let class = |classes: &[usize]| classes.iter().map(|class| Key::Number(*class as u64)).collect::<Vec<_>>();
    in_order(&class(&view.person_class), &class(&view.ballot_class), false, dice)
}

/// Between two totals somebody answered: any ballot of those that make the difference.
fn running_totals(view: &BoxView, dice: &mut Dice) -> Vec<(usize, usize)> {
    let mut guess = Vec::new();
    let nothing = view.shown.first().map(|(_, totals)| totals.iter().map(|counts| vec![0; counts.len()]).collect());
    let mut before: (usize, Vec<Vec<u32>>) = (0, nothing.unwrap_or_default());
    for now in &view.shown {
        let fits = |ballot: &usize| {
            let mut counts = before.1.clone();
            for (question, answer) in view.answers[*ballot].iter().enumerate() {
                counts[question][usize::from(*answer)] += 1;
            }
            counts == now.1
        };
        let mut ballots: Vec<_> = (0..view.owner.len()).filter(fits).collect();
        dice.shuffle(&mut ballots);
        let between = before.0..now.0;
        if between.len() == 1 {
            let person = view.cast.iter().position(|place| between.contains(place));
            guess.extend(person.zip(ballots.first().copied()));
        }
        before.clone_from(now);
    }
    guess
}
