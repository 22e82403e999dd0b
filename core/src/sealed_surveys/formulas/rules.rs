use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Formula, FormulaName, GradeThresholds, Share, exact::WHOLE, formula::ROUNDING};
use crate::people::RosterGroup;

/// How a survey's counts become a result. Kept with the survey from the beginning: nobody changes it after the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealedSurveyRules)]
pub struct Rules {
    pub formula: FormulaName,
    /// Weight of each group of electors; the weights sum to one.
    pub groups: Vec<GroupWeight>,
    /// Least share of the eligible that must have answered; below, nothing is scored, graded or ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grades: Option<GradeThresholds>,
    /// Whether those evaluated are ranked by score.
    #[serde(default)]
    pub is_ranked: bool,
    /// Share of 有 from which an item of a list is to be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_from: Option<Share>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupWeight {
    pub group: RosterGroup,
    pub weight: Share,
}

/// Why rules cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    #[error("there is no such formula, or not in this version")]
    Formula,
    #[error("the groups' weights do not sum to one")]
    Weights,
    #[error("a group stands in it twice")]
    Twice,
    #[error("a share is more than the whole")]
    Share,
}

impl Rules {
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<&'static Formula, BadRules> {
        let formula = Formula::find(&self.formula).ok_or(BadRules::Formula)?;
        for (position, one) in self.groups.iter().enumerate() {
            if self.groups[..position].iter().any(|other| other.group == one.group) {
                return Err(BadRules::Twice);
            }
        }
        if self.groups.iter().map(|group| u32::from(group.weight.0)).sum::<u32>() != u32::from(WHOLE) {
            return Err(BadRules::Weights);
        }
        let grades = self.grades.iter().flat_map(|grades| [grades.best_from, grades.second_from, grades.worst_from]);
        if self.quorum.into_iter().chain(self.check_from).chain(grades).any(|share| share > Share::ALL) {
            return Err(BadRules::Share);
        }
        Ok(formula)
    }

    /// The group's weight; nothing for one that has none.
    #[must_use]
    pub fn weight(&self, group: RosterGroup) -> Share {
        self.groups.iter().find(|weighed| weighed.group == group).map_or(Share(0), |weighed| weighed.weight)
    }

    /// How a score comes about, in words for the sheet.
    #[must_use]
    pub fn words(&self, formula: &Formula) -> String {
        let mut words = formula.words.to_owned();
        if self.groups.len() > 1 {
            let groups: Vec<_> =
                self.groups.iter().map(|weighed| format!("{}{}", weighed.group.label(), weighed.weight)).collect();
            words += &format!(
                "各票种先分别计分，再按权重合成：{}。没有票或者票太少不公布的票种不参加合成，其权重按比例分给其他票种。",
                groups.join("、")
            );
        }
        if let Some(quorum) = self.quorum {
            words += &format!(
                "参加率（计入的票数÷应参加人数）达到{quorum}才有效，达不到的只列票数，不计分、不提等次、不排名。"
            );
        }
        if let Some(from) = self.check_from {
            words += &format!("选“有”的比例达到{from}的，提示核查，不作为结论。");
        }
        words + ROUNDING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let group = |group, weight| GroupWeight { group, weight: Share(weight) };
        Rules {
            formula: FormulaName { key: "grade_mean".into(), version: 1 },
            groups: vec![
                group(RosterGroup::PartyMember, 3000),
                group(RosterGroup::Representative, 3000),
                group(RosterGroup::Resident, 4000),
            ],
            quorum: Some(Share(8000)),
            grades: None,
            is_ranked: false,
            check_from: None,
        }
    }

    #[test]
    fn rules_that_cannot_be_used_are_refused() {
        assert!(rules().check().is_ok());
        let with = |change: fn(&mut Rules)| {
            let mut rules = rules();
            change(&mut rules);
            rules.check().unwrap_err()
        };
        assert_eq!(with(|rules| rules.formula.version = 2), BadRules::Formula);
        assert_eq!(with(|rules| rules.groups[0].weight = Share(3001)), BadRules::Weights);
        assert_eq!(with(|rules| rules.groups.clear()), BadRules::Weights);
        assert_eq!(with(|rules| rules.groups[1].group = RosterGroup::PartyMember), BadRules::Twice);
        assert_eq!(with(|rules| rules.quorum = Some(Share(10_001))), BadRules::Share);
    }

    #[test]
    fn the_sheet_says_how_the_score_came_about() {
        let rules = rules();
        insta::assert_snapshot!("words", rules.words(rules.check().unwrap()));
    }
}
