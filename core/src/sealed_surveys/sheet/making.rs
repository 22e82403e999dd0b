use chrono::NaiveDate;
use num_traits::Zero;

use super::{
    GroupLine, Head, Previous, QuestionLine, RateLine, Row,
    ranking::{contest, rank},
};
use crate::{
    people::RosterGroup,
    sealed_surveys::{
        FEWEST_ELIGIBLE,
        formulas::{Exact, Formula, Hundredths, Share, grade, is_quorum_reached, mean},
        planning::NotHeld,
        questionnaires::{Item, Questionnaire},
        suppression::{Boxes, CountedBox, PaperAccount},
    },
};

/// Somebody or something evaluated, with the boxes of each unit that did. The key is the caller's.
#[derive(Clone, Debug)]
pub struct Evaluated<Key> {
    pub label: String,
    pub units: Vec<Unit<Key>>,
    /// The row over all units, if there is to be one.
    pub sum: Option<Key>,
}

#[derive(Clone, Debug)]
pub struct Unit<Key> {
    pub key: Key,
    /// As in the row; of units that evaluate themselves it is their own name.
    pub label: String,
    pub name: String,
    pub boxes: Vec<CountedBox>,
}

/// What the last round had, by the caller's key.
#[derive(Clone, Debug)]
pub struct LastRound {
    pub published_on: NaiveDate,
    pub score: Option<Hundredths>,
    /// Made by the same version of the same formula.
    pub is_comparable: bool,
}

/// Makes the sheet: its head and its rows in the order in which they are shown.
pub fn make<Key: Clone>(
    questionnaire: &Questionnaire,
    formula: &Formula,
    k_min: u32,
    published_on: NaiveDate,
    evaluated: Vec<Evaluated<Key>>,
    not_held: &[NotHeld],
    last_round: impl Fn(&Key) -> Option<LastRound>,
) -> (Head, Vec<(Key, Row)>) {
    let maker = Maker { questionnaire, formula, k_min, not_held };
    let (mut rows, mut reaches) = (Vec::new(), Vec::new());
    for Evaluated { label, units, sum } in evaluated {
        let boxes = Boxes { units: units.iter().map(|unit| unit.boxes.clone()).collect() };
        let participants = boxes.sums_of_participants(k_min);
        let questions: Vec<_> = questionnaire.questions.iter().map(|item| boxes.sums_of(&item.key, k_min)).collect();
        for (position, unit) in units.iter().enumerate() {
            let sums = Sums {
                participants: participants.units[position],
                questions: questions.iter().map(|shown| shown.units[position]).collect(),
            };
            let own: Vec<_> = unit.boxes.iter().collect();
            let mut row = maker.row(&unit.label, &unit.name, &own, &sums);
            row.notes.extend(maker.notes_of_absent(&unit.label, Some(&unit.name), &own));
            rows.push((unit.key.clone(), row));
            reaches.push(maker.reach(&own));
        }
        if let Some(key) = sum {
            let sums = Sums {
                participants: participants.whole,
                questions: questions.iter().map(|shown| shown.whole).collect(),
            };
            let all: Vec<_> = units.iter().flat_map(|unit| &unit.boxes).collect();
            let mut row = maker.row(&label, &format!("合计{}个单位", units.len()), &all, &sums);
            row.is_sum = true;
            row.notes.extend(maker.notes_of_absent(&label, None, &all));
            rows.push((key, row));
            reaches.push(None);
        }
    }
    for (key, row) in &mut rows {
        row.previous = last_round(key).map(|last| Previous {
            published_on: last.published_on,
            score: last.score,
            change: last
                .score
                .zip(row.score)
                .filter(|_| last.is_comparable)
                .map(|(before, now)| Hundredths(now.0 - before.0)),
        });
    }
    if questionnaire.rules.is_ranked {
        contest(&mut rows, &reaches);
        rank(&mut rows);
    }
    (maker.head(k_min, published_on), rows)
}

/// Which sums of a row are shown.
struct Sums {
    participants: bool,
    questions: Vec<bool>,
}

struct Maker<'a> {
    questionnaire: &'a Questionnaire,
    formula: &'a Formula,
    k_min: u32,
    /// Groups that were too small to be asked.
    not_held: &'a [NotHeld],
}

impl Maker<'_> {
    fn head(&self, k_min: u32, published_on: NaiveDate) -> Head {
        let Questionnaire { title, key, version, purpose, rules, .. } = self.questionnaire;
        let grade_words = rules.grades.zip(self.graded()).map(|(grades, (_, item))| {
            let rates: Vec<_> = item.scale.rates().iter().map(|rate| rate.label).collect();
            grades.words(item.scale.labels(), &rates)
        });
        Head {
            title: title.clone(),
            questionnaire: key.clone(),
            questionnaire_version: *version,
            purpose: *purpose,
            purpose_words: purpose.words().into(),
            formula: self.formula.name(),
            formula_words: rules.words(self.formula),
            grade_words,
            groups: rules.groups.clone(),
            is_ranked: rules.is_ranked,
            suppression_words: format!(
                "不足{k_min}张票的票箱不公布任何结果，也不显示领票和投票的人数，算参加率时按没有票算；作答太少的题不公布；合计数如果能与已公布的数相减推算出少数人的选择，也不公布。\
                 得分只用已公布的票箱计算。公开的验票文件里有每个票箱的信封和票的总数：不留着就没有人能核对票少没少。结果只公布一次，以后不再变动。"
            ),
            published_on,
        }
    }

    /// The question that grades, with its position.
    fn graded(&self) -> Option<(usize, &Item)> {
        let key = self.questionnaire.graded_by.as_ref()?;
        self.questionnaire.questions.iter().enumerate().find(|(_, item)| item.key == *key)
    }

    fn row(&self, label: &str, unit: &str, boxes: &[&CountedBox], sums: &Sums) -> Row {
        let rules = &self.questionnaire.rules;
        let sum = |of: &[&CountedBox], number: fn(&CountedBox) -> u32| of.iter().map(|one| number(one)).sum::<u32>();
        let told = self.told(boxes);
        let eligible = sum(boxes, |one| one.eligible);
        let (unopenable, withheld) = (sum(&told, |one| one.unopenable), sum(&told, |one| one.withheld));
        let winning = sum(&told, |one| one.ballots + one.junk) + unopenable + withheld;
        let takes_part = sum(&told, |one| one.ballots);
        let is_valid = self.is_valid(takes_part, eligible);
        let groups = self.groups(boxes);
        let too_many = (unopenable + withheld).saturating_mul(100) > winning;
        let is_decisive = self.is_decided_by_the_unopened(&told, &groups, takes_part, eligible);
        let is_contested = too_many || is_decisive;
        let questions: Vec<_> = (0..self.questionnaire.questions.len())
            .map(|number| self.question(number, boxes, &groups, sums.questions[number], is_valid))
            .collect();
        let scored = || groups.iter().map(|group| (rules.weight(group.group), self.score(group)));
        let score = if is_valid { mean(scored()) } else { None };
        let mut notes = Vec::new();
        if !is_valid && !told.is_empty() {
            notes.push("参加率没有达到要求，本次测评无效：只列票数，不计分、不提等次、不排名。".into());
        }
        if is_decisive {
            notes.push(
                "打不开或者封存的信封会左右测评是否有效、等次是什么，结果有争议，核清之前不提等次、不排名。".into(),
            );
        }
        if too_many {
            notes.push("打不开或者封存的信封超过百分之一，结果有争议，核清之前不提等次、不排名。".into());
        }
        for group in &groups {
            if group.counts.iter().all(Option::is_none) && rules.weight(group.group) > Share(0) {
                notes.push(format!(
                    "{}票太少或者没有票，不公布、不计入得分，权重按比例分给其他票种。",
                    group.group.label()
                ));
            }
        }
        if boxes.iter().any(|one| one.paper.is_some_and(|paper| paper.is_voided)) {
            notes.push("有纸票的数目对不上，那一批全部作废，没有计入。".into());
        }
        if !sums.participants {
            notes.push("参加人数的合计会透露少数人是否参加，不公布。".into());
        }
        if questions.iter().any(|line| line.counts.is_none()) {
            notes.push("有的题作答太少，或者合计会透露少数人的选择，合计票数不公布。".into());
        }
        let proposed_grade = if is_valid && !is_contested { self.proposed_grade(&groups) } else { None };
        Row {
            label: label.to_owned(),
            unit: unit.to_owned(),
            is_sum: false,
            eligible,
            issued: sums.participants.then(|| sum(boxes, |one| one.issued)),
            ballots: sums.participants.then(|| sum(boxes, |one| one.ballots)),
            paper: if sums.participants { paper(boxes) } else { None },
            unopenable: (!told.is_empty()).then_some(unopenable),
            withheld: (!told.is_empty()).then_some(withheld),
            is_contested,
            is_valid: (!told.is_empty()).then_some(is_valid),
            questions,
            score: score.as_ref().map(Hundredths::rounded),
            proposed_grade,
            rank: None,
            previous: None,
            notes,
            groups: groups.into_iter().map(|group| self.line(group, is_valid)).collect(),
        }
    }

    /// The boxes that are large enough: nothing of a row tells of a box of few but that it is one.
    fn told<'b>(&self, boxes: &[&'b CountedBox]) -> Vec<&'b CountedBox> {
        boxes.iter().copied().filter(|one| one.ballots >= self.k_min).collect()
    }

    fn is_valid(&self, ballots: u32, eligible: u32) -> bool {
        self.questionnaire.rules.quorum.is_none_or(|quorum| is_quorum_reached(ballots, eligible, quorum))
    }

    /// Whether it would be another outcome if all the envelopes that stay shut had said the same: enough took part where they did
    /// not, or another grade.
    fn is_decided_by_the_unopened(&self, boxes: &[&CountedBox], groups: &[Group], ballots: u32, eligible: u32) -> bool {
        let all: u32 = boxes.iter().map(|one| unopened(one)).sum();
        let is_valid = self.is_valid(ballots, eligible);
        if is_valid != self.is_valid(ballots + all, eligible) {
            return true;
        }
        let Some((number, item)) = self.graded().filter(|_| is_valid && all > 0) else { return false };
        let known = self.proposed_grade(groups);
        (1..=item.scale.labels().len())
            .any(|answer| self.proposed_grade(&with_unopened(groups, boxes, answer, &[number])) != known)
    }

    /// The lowest and the highest score, had all the envelopes that stay shut said the same.
    fn reach(&self, boxes: &[&CountedBox]) -> Option<(Hundredths, Hundredths)> {
        let groups = self.groups(boxes);
        let all: Vec<_> = (0..self.questionnaire.questions.len()).collect();
        let most = self.questionnaire.questions.iter().map(|item| item.scale.labels().len()).max()?;
        let score = |groups: &[Group]| {
            let scored = groups.iter().map(|group| (self.questionnaire.rules.weight(group.group), self.score(group)));
            mean(scored).as_ref().map(Hundredths::rounded)
        };
        let known = score(&groups)?;
        let told = self.told(boxes);
        let others = (1..=most).filter_map(|answer| score(&with_unopened(&groups, &told, answer, &all)));
        let scores: Vec<_> = others.chain([known]).collect();
        Some((*scores.iter().min()?, *scores.iter().max()?))
    }

    /// That a group of the rules was not asked here, and why: its weight goes to the others.
    fn notes_of_absent(&self, label: &str, unit: Option<&str>, boxes: &[&CountedBox]) -> Vec<String> {
        let rules = &self.questionnaire.rules;
        let absent = self
            .questionnaire
            .groups()
            .filter(|group| rules.weight(*group) > Share(0) && !boxes.iter().any(|one| one.group == *group));
        let is_too_small = |group: RosterGroup| {
            self.not_held.iter().any(|one| {
                one.class == group
                    && unit.is_none_or(|unit| one.unit_name == unit)
                    && one.evaluatee.as_ref().is_none_or(|evaluatee| evaluatee == label)
            })
        };
        let note = |group: RosterGroup| {
            let why = if is_too_small(group) {
                format!("人数不足{FEWEST_ELIGIBLE}，没有测评")
            } else {
                "在这里没有单独的票箱".to_owned()
            };
            format!("{}{why}，权重按比例分给其他票种。", group.label())
        };
        absent.map(note).collect()
    }

    /// Published counts by group, in the order of the rules; groups without a box are left out.
    fn groups(&self, boxes: &[&CountedBox]) -> Vec<Group> {
        let of_rules: Vec<_> = self.questionnaire.groups().collect();
        let others = boxes.iter().map(|one| one.group).filter(|group| !of_rules.contains(group));
        let mut groups: Vec<Group> = Vec::new();
        for group in of_rules.iter().copied().chain(others) {
            let own: Vec<_> = boxes.iter().filter(|one| one.group == group).collect();
            if own.is_empty() || groups.iter().any(|known| known.group == group) {
                continue;
            }
            let counts = self
                .questionnaire
                .questions
                .iter()
                .map(|item| added(own.iter().filter_map(|one| one.published(&item.key))));
            let counts: Vec<_> = counts.collect();
            let published = || own.iter().filter(|one| one.totals.questions.values().any(Option::is_some));
            let sum = |number: fn(&CountedBox) -> u32| {
                published().next().is_some().then(|| published().map(|one| number(one)).sum())
            };
            groups.push(Group {
                group,
                eligible: own.iter().map(|one| one.eligible).sum(),
                issued: sum(|one| one.issued),
                ballots: sum(|one| one.ballots),
                counts,
            });
        }
        groups
    }

    fn score(&self, group: &Group) -> Option<Exact> {
        let items = self.questionnaire.questions.iter().zip(&group.counts);
        mean(items.map(|(item, counts)| {
            (item.weight, counts.as_ref().and_then(|counts| self.formula.score(item.scale, counts)))
        }))
    }

    fn line(&self, group: Group, is_valid: bool) -> GroupLine {
        let score = if is_valid { self.score(&group) } else { None };
        GroupLine {
            group: group.group,
            label: group.group.label().into(),
            eligible: group.eligible,
            issued: group.issued,
            ballots: group.ballots,
            counts: group.counts,
            score: score.as_ref().map(Hundredths::rounded),
        }
    }

    fn question(
        &self,
        number: usize,
        boxes: &[&CountedBox],
        groups: &[Group],
        is_shown: bool,
        is_valid: bool,
    ) -> QuestionLine {
        let (item, rules) = (&self.questionnaire.questions[number], &self.questionnaire.rules);
        let weighed = |value: &dyn Fn(&[u32]) -> Option<Exact>| {
            let groups = groups.iter().filter(|_| is_valid);
            mean(groups.map(|group| (rules.weight(group.group), group.counts[number].as_deref().and_then(value))))
        };
        let score = weighed(&|counts| self.formula.score(item.scale, counts));
        let rate = |rate| Some((rate, weighed(&|counts| item.scale.rate(rate, counts))?));
        let rates: Vec<_> = item.scale.rates().iter().copied().filter_map(rate).collect();
        let is_to_be_checked =
            rules.check_from.is_some_and(|from| rates.first().is_some_and(|(_, share)| *share >= from.exact()));
        let of_box = |one: &&CountedBox| one.tally.as_ref()?.0.get(&item.key).cloned();
        let opened: Vec<_> = boxes.iter().filter_map(of_box).collect();
        QuestionLine {
            key: item.key.clone(),
            text: item.text.clone(),
            options: item.scale.labels().iter().map(|label| (*label).to_owned()).collect(),
            counts: if is_shown { added(opened.iter().map(Vec::as_slice)) } else { None },
            score: score.as_ref().map(Hundredths::rounded),
            rates: rates
                .into_iter()
                .map(|(rate, share)| RateLine { label: rate.label.into(), per_cent: Hundredths::per_cent(&share) })
                .collect(),
            is_to_be_checked,
        }
    }

    fn proposed_grade(&self, groups: &[Group]) -> Option<String> {
        let thresholds = self.questionnaire.rules.grades?;
        let (number, item) = self.graded()?;
        let [best, two_best, worst] = item.scale.rates() else { return None };
        let share = |rate| {
            mean(groups.iter().map(|group| {
                let weight = self.questionnaire.rules.weight(group.group);
                (weight, group.counts[number].as_ref().and_then(|counts| item.scale.rate(rate, counts)))
            }))
        };
        let position = grade(thresholds, &share(*best)?, &share(*two_best)?, &share(*worst)?);
        item.scale.labels().get(position - 1).map(|label| (*label).to_owned())
    }
}

/// Envelopes of which nobody knows what they say.
fn unopened(one: &CountedBox) -> u32 {
    one.unopenable + one.withheld
}

/// The counts, had all of them answered these questions so.
fn with_unopened(groups: &[Group], boxes: &[&CountedBox], answer: usize, questions: &[usize]) -> Vec<Group> {
    let mut groups = groups.to_vec();
    for group in &mut groups {
        let more: u32 = boxes.iter().filter(|one| one.group == group.group).map(|one| unopened(one)).sum();
        for number in questions {
            let count = group.counts[*number].as_mut().and_then(|counts| counts.get_mut(answer));
            if let Some(count) = count {
                *count += more;
            }
        }
    }
    groups
}

#[derive(Clone)]
struct Group {
    group: RosterGroup,
    eligible: u32,
    issued: Option<u32>,
    ballots: Option<u32>,
    counts: Vec<Option<Vec<u32>>>,
}

/// Option by option; none of nothing.
fn added<'a>(counts: impl Iterator<Item = &'a [u32]>) -> Option<Vec<u32>> {
    counts.fold(None, |sum: Option<Vec<u32>>, counts| {
        let mut sum = sum.unwrap_or_else(|| vec![u32::zero(); counts.len()]);
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        Some(sum)
    })
}

fn paper(boxes: &[&CountedBox]) -> Option<PaperAccount> {
    boxes.iter().filter_map(|one| one.paper).reduce(|sum, one| PaperAccount {
        printed: sum.printed + one.printed,
        drawn: sum.drawn + one.drawn,
        returned: sum.returned + one.returned,
        spoiled: sum.spoiled + one.spoiled,
        lost: sum.lost + one.lost,
        is_voided: sum.is_voided || one.is_voided,
    })
}
