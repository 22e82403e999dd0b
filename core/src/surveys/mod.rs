//! Surveys of a village about a thing (6.3): a repaired road, the water supply; never about a person.
//!
//! Only counts are kept: who took part (so that nobody answers twice) and how many chose what, in two tables that have
//! nothing in common but the survey. Results appear after the close and only of a large enough group.

pub mod entity;
mod listing;
mod service;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::refusal::{Refusal, RefusalKind};

pub use listing::{Listed, PAGE, list, list_query};
pub use service::{NewSurvey, Results, answer, close, invite, open_for, results};

/// Of fewer people no figure is shown: three neighbours could work out who said what.
pub const FEWEST_PEOPLE: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = SurveyState)]
pub enum SurveyState {
    Open,
    Closed,
}

/// One question with the answers to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SurveyQuestion)]
pub struct Question {
    pub text: String,
    pub choices: Vec<String>,
}

/// Why something cannot be done with a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyRefusal {
    #[error("it is closed")]
    Closed,
    #[error("people may still answer")]
    StillOpen,
    #[error("answered already")]
    AlreadyAnswered,
    #[error("too few took part")]
    TooFewAnswers,
    #[error("an answer is missing or none of the choices")]
    WrongAnswers,
}

impl From<SurveyRefusal> for Refusal {
    fn from(refusal: SurveyRefusal) -> Self {
        use SurveyRefusal as R;
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        match refusal {
            R::Closed => conflict("survey_closed", "问卷已经结束。"),
            R::StillOpen => conflict("survey_still_open", "问卷还没有结束，现在谁也看不到结果。"),
            R::AlreadyAnswered => conflict("already_answered", "您已经答过这份问卷了。"),
            R::TooFewAnswers => conflict("too_few_answers", "答的人太少，为保护大家不公布结果。"),
            R::WrongAnswers => Self::new(RefusalKind::BadInput, "wrong_answers", "每题都要从给出的选项里选一个。"),
        }
    }
}

/// Words that mean a person in office: a question with one of them is about a person.
const OFFICE_HOLDERS: [&str; 12] =
    ["书记", "主任", "村长", "镇长", "乡长", "委员", "干部", "支书", "会计", "组长", "所长", "同志"];

/// Whether a text speaks of somebody in office.
#[must_use]
pub fn names_an_office_holder(text: &str) -> bool {
    OFFICE_HOLDERS.iter().any(|word| text.contains(word))
}

/// What is wrong with a survey's words.
fn check(title: &str, questions: &[Question]) -> Result<(), Refusal> {
    let mut refusal = Refusal::invalid(Vec::new());
    let fits = |text: &str, most: usize| {
        let length = text.trim().chars().count();
        length > 0 && length <= most && !text.chars().any(char::is_control)
    };
    if !fits(title, 30) {
        refusal = refusal.with_field("/title", "标题写1到30个字。");
    }
    if questions.is_empty() || questions.len() > 3 {
        refusal = refusal.with_field("/questions", "问题要有1到3道。");
    }
    for (number, question) in questions.iter().enumerate() {
        if !fits(&question.text, 60) {
            refusal = refusal.with_field(&format!("/questions/{number}/text"), "问题写1到60个字。");
        }
        let choices = &question.choices;
        if !(2..=6).contains(&choices.len()) || !choices.iter().all(|choice| fits(choice, 20)) {
            refusal = refusal.with_field(&format!("/questions/{number}/choices"), "选项要有2到6个，每个最多20个字。");
        }
    }
    let texts = questions.iter().flat_map(|question| std::iter::once(&question.text).chain(&question.choices));
    let everything: Vec<_> = std::iter::once(title).chain(texts.map(String::as_str)).collect();
    if everything.iter().any(|text| names_an_office_holder(text)) {
        refusal = refusal.with_field("/questions", "群里的问卷只能问事，不能问人。对干部的评议请走专门的测评。");
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        Question { text: text.into(), choices: vec!["好".into(), "不好".into()] }
    }

    #[test]
    fn a_survey_asks_about_a_thing_and_never_about_a_person() {
        assert!(check("通组路修好了吗", &[question("路面平不平？")]).is_ok());
        let refused = check("通组路修好了吗", &[question("王书记做得好不好？")]).unwrap_err();
        assert_eq!(refused.fields[0].pointer, "/questions");
    }

    #[test]
    fn a_survey_has_one_to_three_questions_with_choices() {
        assert!(check("通组路", &[]).is_err());
        assert!(check("通组路", &vec![question("平不平？"); 4]).is_err());
        let single = Question { text: "平不平？".into(), choices: vec!["平".into()] };
        assert!(check("通组路", &[single]).is_err());
    }
}
