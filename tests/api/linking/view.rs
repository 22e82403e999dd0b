//! What was carried off, as an attacker lays it out: of each box, keys by which its persons can be put in order, and keys by
//! which its ballots can.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use qingfeng_ballots::{answers::Question, canonical::canonical};

use super::{
    algebra,
    chance::Dice,
    collecting::{Dump, Row},
    voting::{Polled, Resident},
};

/// Something that sorts: numbers by size, text by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Number(u64),
    Text(String),
}

impl Key {
    fn of(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }
}

/// By name: one key for each person, or for each ballot.
pub type Keys = BTreeMap<String, Vec<Key>>;

/// One box.
#[derive(Clone)]
pub struct BoxView {
    pub persons: Keys,
    pub ballots: Keys,
    /// Pairs that stand in one row.
    pub together: Vec<(usize, usize)>,
    /// By which each person is known, to guess secrets from.
    pub known: Vec<Vec<Vec<u8>>>,
    /// Numbers of each ballot that would be guessed.
    pub guessable: Vec<Vec<Vec<u8>>>,
    /// Under which key each person's credential was signed, and each ballot verifies.
    pub person_class: Vec<usize>,
    pub ballot_class: Vec<usize>,
    /// Answers of each ballot by question.
    pub answers: Vec<Vec<u8>>,
    /// Counts by question and answer that were shown while the box was open, after so many had answered.
    pub shown: Vec<(usize, Vec<Vec<u32>>)>,
    /// Who answered as which, by the request log.
    pub cast: Vec<usize>,
    /// What only the test knows: whose ballot it is.
    pub owner: Vec<usize>,
}

impl BoxView {
    /// A box that nobody polled: what a fair protocol would leave of it.
    pub fn made_up(people: usize, dice: &mut Dice) -> Self {
        let cast = dice.order(people);
        let times = cast.iter().map(|place| Key::Number(*place as u64)).collect();
        let random = (0..people).map(|_| Key::Number(dice.roll())).collect();
        Self {
            persons: Keys::from([("requests by time of casting".into(), times)]),
            ballots: Keys::from([("rows by key".into(), random)]),
            together: Vec::new(),
            known: Vec::new(),
            guessable: Vec::new(),
            person_class: vec![0; people],
            ballot_class: vec![0; people],
            answers: Vec::new(),
            shown: Vec::new(),
            cast,
            owner: dice.order(people),
        }
    }

    /// From the dump after the publication, and what the platform could have written down of the requests.
    pub fn of(dump: &Dump, residents: &[Resident], polled: &Polled, all: &[Polled]) -> Self {
        let votes = &polled.votes;
        // The attacker sees ballots in the order of the published file.
        let mut owner: Vec<usize> = (0..votes.len()).collect();
        owner.sort_by_key(|person| votes[*person].ballot.pk.0);
        let mut view = Self {
            persons: requests(residents, polled),
            ballots: published(polled, &owner),
            together: Vec::new(),
            known: residents.iter().zip(votes).map(|(resident, vote)| known(resident, vote)).collect(),
            guessable: owner.iter().map(|person| guessable(&votes[*person].ballot)).collect(),
            person_class: votes.iter().map(|vote| algebra::issued_under(polled, vote)).collect(),
            ballot_class: owner.iter().map(|person| algebra::verifies_under(polled, &votes[*person].ballot)).collect(),
            answers: owner.iter().map(|person| votes[*person].ballot.ans.0.values().copied().collect()).collect(),
            shown: Vec::new(),
            cast: votes.iter().map(|vote| vote.cast).collect(),
            owner,
        };
        view.read(dump, residents, polled, all);
        view
    }

    /// Every table in which persons or ballots can be recognized puts them in an order: by place and by each column.
    fn read(&mut self, dump: &Dump, residents: &[Resident], polled: &Polled, all: &[Polled]) {
        let names = Names::of(residents, polled, &self.owner, all);
        let mut tables: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &dump.rows {
            tables.entry(&row.table).or_default().push(row);
        }
        for (table, mut rows) in tables {
            rows.sort_by_key(|row| row.place);
            let (mut persons, mut ballots) = (BTreeMap::new(), BTreeMap::new());
            for row in rows {
                match names.in_text(&row.text()) {
                    Found { other_box: true, .. } => {}
                    Found { persons: found, ballots: none, .. } if found.len() == 1 && none.is_empty() => {
                        persons.entry(found[0]).or_insert(row);
                    }
                    Found { persons: none, ballots: found, .. } if found.len() == 1 && none.is_empty() => {
                        ballots.entry(found[0]).or_insert(row);
                    }
                    Found { persons, ballots, .. } if persons.len() == 1 && ballots.len() == 1 => {
                        self.together.push((persons[0], ballots[0]));
                    }
                    Found { .. } => {}
                }
            }
            keys(table, &persons, self.owner.len(), &mut self.persons);
            keys(table, &ballots, self.owner.len(), &mut self.ballots);
        }
    }
}

/// Keys of a table in which everybody is found: the place, and columns that differ.
fn keys(table: &str, found: &BTreeMap<usize, &Row>, everybody: usize, into: &mut Keys) {
    if found.len() != everybody {
        return;
    }
    into.insert(format!("{table} by place"), found.values().map(|row| Key::Number(row.place)).collect());
    let columns = found[&0].cells.keys();
    for column in columns {
        let column_keys: Vec<_> =
            found.values().map(|row| Key::of(row.cells.get(column).map_or("", String::as_str))).collect();
        if column_keys.iter().any(|key| *key != column_keys[0]) {
            into.insert(format!("{table} by {column}"), column_keys);
        }
    }
}

/// Names under which persons and ballots of one box appear.
struct Names {
    searcher: AhoCorasick,
    meaning: Vec<Meaning>,
}

#[derive(Clone, Copy)]
enum Meaning {
    Person(usize),
    Ballot(usize),
    OtherBox,
}

#[derive(Default)]
struct Found {
    persons: Vec<usize>,
    ballots: Vec<usize>,
    other_box: bool,
}

impl Names {
    fn of(residents: &[Resident], polled: &Polled, owner: &[usize], all: &[Polled]) -> Self {
        let mut names: Vec<(String, Meaning)> = Vec::new();
        for (person, (resident, vote)) in residents.iter().zip(&polled.votes).enumerate() {
            let mut own = vec![
                resident.id.0.to_string(),
                resident.id.0.simple().to_string(),
                resident.open_id.to_lowercase(),
                hex::encode(resident.device.verifying_key().to_bytes()),
                hex::encode(resident.commitment.0),
                hex::encode(vote.tag.0),
                hex::encode(vote.leaf.0),
            ];
            // Of two envelopes the last counts; the first is hers as well.
            own.extend(vote.envelopes.iter().chain(&vote.req_hashes).map(|hash| hex::encode(hash.0)));
            names.extend(own.into_iter().map(|name| (name, Meaning::Person(person))));
        }
        for (ballot, person) in owner.iter().enumerate() {
            let vote = &polled.votes[*person];
            let own = [vote.ballot.pk, vote.ballot.row_hash()];
            names.extend(own.map(|hash| (hex::encode(hash.0), Meaning::Ballot(ballot))));
        }
        for other in all.iter().filter(|other| other.sid != polled.sid) {
            let sid = other.sid.sid();
            names.push((hex::encode(sid.0), Meaning::OtherBox));
            names.push((uuid::Uuid::from_bytes(sid.0).to_string(), Meaning::OtherBox));
        }
        let searcher =
            AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).build(names.iter().map(|(name, _)| name));
        Self { searcher: searcher.unwrap(), meaning: names.into_iter().map(|(_, meaning)| meaning).collect() }
    }

    fn in_text(&self, text: &str) -> Found {
        let mut found = Found::default();
        for hit in self.searcher.find_iter(text) {
            match self.meaning[hit.pattern().as_usize()] {
                Meaning::Person(person) => found.persons.push(person),
                Meaning::Ballot(ballot) => found.ballots.push(ballot),
                Meaning::OtherBox => found.other_box = true,
            }
        }
        for list in [&mut found.persons, &mut found.ballots] {
            list.sort_unstable();
            list.dedup();
        }
        found
    }
}

/// What whoever runs the platform could write down of every request.
fn requests(residents: &[Resident], polled: &Polled) -> Keys {
    let mut keys = Keys::new();
    let mut add = |name: &str, of: &dyn Fn(usize) -> Key| {
        keys.insert(format!("requests by {name}"), (0..residents.len()).map(of).collect());
    };
    let votes = &polled.votes;
    let text = |bytes: &[u8]| Key::Text(hex::encode(bytes));
    add("time of issuing", &|person| Key::Number(votes[person].issued as u64));
    add("time of casting", &|person| Key::Number(votes[person].cast as u64));
    add("size", &|person| Key::Number(votes[person].size as u64));
    add("envelope", &|person| text(&votes[person].envelopes.last().unwrap().0));
    add("tag", &|person| text(&votes[person].tag.0));
    add("blinded key", &|person| text(&votes[person].a.0));
    add("blinded tag", &|person| text(&votes[person].d.0));
    add("blind signature", &|person| text(&votes[person].sa.0));
    add("roll leaf", &|person| text(&votes[person].leaf.0));
    add("identity", &|person| Key::Text(residents[person].open_id.clone()));
    add("address", &|person| Key::Text(residents[person].forwarded.clone()));
    keys
}

/// What everybody sees of the ballots.
fn published(polled: &Polled, owner: &[usize]) -> Keys {
    let mut keys = Keys::new();
    let mut add = |name: &str, of: &dyn Fn(&qingfeng_ballots::ballot::Ballot) -> Key| {
        let of = |person: &usize| of(&polled.votes[*person].ballot);
        keys.insert(format!("rows by {name}"), owner.iter().map(of).collect());
    };
    let text = |bytes: &[u8]| Key::Text(hex::encode(bytes));
    add("key", &|ballot| text(&ballot.pk.0));
    add("hash", &|ballot| text(&ballot.row_hash().0));
    add("signature", &|ballot| text(&ballot.sig.0));
    add("prefix", &|ballot| text(&ballot.pa.0));
    add("co-signer's prefix", &|ballot| text(&ballot.pb.0));
    add("credential", &|ballot| text(&ballot.sa.0));
    add("co-signer's credential", &|ballot| text(&ballot.sb.0));
    add("answers", &|ballot| text(&canonical(&ballot.ans)));
    add("length", &|ballot| Key::Number(ballot.to_bytes().len() as u64));
    add("length in words", &|ballot| Key::Number(length_in_words(&polled.manifest.questions, ballot) as u64));
    keys
}

/// How long the answers are where they are spelled out.
pub fn length_in_words(questions: &[Question], ballot: &qingfeng_ballots::ballot::Ballot) -> usize {
    let words = questions.iter().map(|question| {
        let answer = usize::from(ballot.ans.0[&question.key]);
        answer.checked_sub(1).map_or(0, |answer| question.text.len() + question.options[answer].len())
    });
    words.sum()
}

fn known(resident: &Resident, vote: &super::voting::Vote) -> Vec<Vec<u8>> {
    vec![
        resident.id.0.to_string().into_bytes(),
        resident.id.0.as_bytes().to_vec(),
        resident.open_id.clone().into_bytes(),
        resident.name.clone().into_bytes(),
        resident.forwarded.clone().into_bytes(),
        resident.device.verifying_key().to_bytes().to_vec(),
        resident.commitment.0.to_vec(),
        vote.leaf.0.to_vec(),
        vote.tag.0.to_vec(),
        vote.req_hashes[0].0.to_vec(),
        vote.a.0.to_vec(),
        vote.sa.0.to_vec(),
        vote.envelopes.last().unwrap().0.to_vec(),
    ]
}

fn guessable(ballot: &qingfeng_ballots::ballot::Ballot) -> Vec<Vec<u8>> {
    vec![ballot.pk.0.to_vec(), ballot.pa.0.to_vec(), ballot.pb.0.to_vec(), ballot.row_hash().0.to_vec()]
}
