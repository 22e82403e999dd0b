//! What a plan file asks of an evaluation, as a questionnaire: weights, dimensions and levels of the plan come before
//! those that ship with the product.

use super::{BadQuestionnaire, Item, Purpose, Questionnaire, find};
use crate::{
    campaigns::plan::{About, Evaluation, Kind},
    sealed_surveys::formulas::{FormulaName, GroupWeight, Scale, Share},
};

/// Why no questionnaire comes of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvaluation {
    #[error("there is no questionnaire “{0}”")]
    Unknown(String),
    #[error("there are no points for these levels: {0}")]
    Levels(String),
    #[error(transparent)]
    Questionnaire(#[from] BadQuestionnaire),
}

impl Questionnaire {
    /// The questionnaire that the evaluation names, or the usual one for what it is about, in the plan's terms.
    ///
    /// # Errors
    /// When the plan names one that there is not, has levels without points, or weights that do not sum to one.
    pub fn of_plan(evaluation: &Evaluation) -> Result<Self, BadEvaluation> {
        let key = evaluation.questionnaire.as_deref().unwrap_or_else(|| usual(evaluation));
        let mut questionnaire = find(key).ok_or_else(|| BadEvaluation::Unknown(key.to_owned()))?.clone();
        let is_list = questionnaire.questions.iter().any(|item| item.scale == Scale::Presence);
        if !is_list {
            let scale = Scale::of_labels(&evaluation.scale)
                .filter(|scale| *scale != Scale::Presence)
                .ok_or_else(|| BadEvaluation::Levels(evaluation.scale.join("、")))?;
            questionnaire.take_scale(scale);
        }
        if !evaluation.dimensions.is_empty() {
            questionnaire.take_dimensions(evaluation)?;
        }
        questionnaire.title.clone_from(&evaluation.label);
        questionnaire.purpose = match evaluation.kind {
            Kind::StatutoryAppraisal => Purpose::StatutoryReview,
            Kind::OrganizationalEvaluation => Purpose::Organizational,
            Kind::SatisfactionSurvey => Purpose::Satisfaction,
        };
        questionnaire.rules.groups = evaluation
            .electorates
            .iter()
            .map(|electorate| GroupWeight {
                group: electorate.group,
                weight: Share::of_one(electorate.weight).unwrap_or_default(),
            })
            .collect();
        if let Some(quorum) = evaluation.quorum_share {
            questionnaire.rules.quorum = Share::of_one(quorum);
        }
        if let Some(ranked) = evaluation.ranked {
            questionnaire.rules.is_ranked = ranked;
        }
        questionnaire.check()?;
        Ok(questionnaire)
    }

    fn take_scale(&mut self, scale: Scale) {
        for item in &mut self.questions {
            item.scale = scale;
        }
        let fits = super::Formula::find(&self.rules.formula).is_some_and(|formula| formula.scores(scale));
        if !fits {
            let key = match scale {
                Scale::Competence | Scale::Quality => "grade_mean",
                Scale::Satisfaction | Scale::SatisfactionOfThree => "satisfaction",
                Scale::SatisfactionOfFive => "satisfaction_of_five",
                Scale::Presence => "mentions",
            };
            self.rules.formula = FormulaName { key: key.into(), version: 1 };
        }
        // Grades are proposed for persons and teams; the public's satisfaction has none.
        if !matches!(scale, Scale::Competence | Scale::Quality) {
            self.graded_by = None;
            self.rules.grades = None;
        }
    }

    /// The plan's dimensions make the score; other questions stay, unscored. A dimension without a question gets one.
    fn take_dimensions(&mut self, evaluation: &Evaluation) -> Result<(), BadEvaluation> {
        let scale = self.questions.first().map(|item| item.scale).ok_or(BadQuestionnaire::Questions)?;
        for item in &mut self.questions {
            item.weight = Share(0);
        }
        for dimension in &evaluation.dimensions {
            let weight = Share::of_one(dimension.weight).unwrap_or_default();
            match self.questions.iter_mut().find(|item| item.key == dimension.key) {
                Some(item) => item.weight = weight,
                None => {
                    let text = dimension.label.clone();
                    self.questions.push(Item { key: dimension.key.clone(), text, scale, weight });
                }
            }
        }
        Ok(())
    }
}

/// The questionnaire for what is evaluated and what for.
fn usual(evaluation: &Evaluation) -> &'static str {
    match (evaluation.about, evaluation.kind) {
        (About::Cadre, Kind::StatutoryAppraisal) => "statutory_review",
        (About::Cadre, Kind::OrganizationalEvaluation) => "cadre_evaluation",
        (About::Cadre, Kind::SatisfactionSurvey) => "duty_report",
        (About::VillageBody, _) => "public_satisfaction",
        (About::Rectification, _) => "rectification_results",
        (About::Department, _) => "department_rating",
        (About::PublicService, _) => "service_satisfaction",
        (About::Item, _) => "item_satisfaction",
    }
}
