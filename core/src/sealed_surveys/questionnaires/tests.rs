use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::campaigns::SHIPPED_PLANS;

#[test]
fn every_shipped_questionnaire_can_be_asked() {
    let mut keys = BTreeSet::new();
    for questionnaire in shipped() {
        let key = &questionnaire.key;
        assert!(questionnaire.check().is_ok(), "{key}: {:?}", questionnaire.check());
        assert!(keys.insert(key), "{key} twice");
        if let Some(next) = &questionnaire.continues_in {
            assert!(find(next).is_some(), "{key} goes on in {next}");
        }
    }
    assert_eq!(keys.len(), 11);
}

#[test]
fn the_kinds_of_row_5_2_are_there_with_their_purposes() {
    let purposes: Vec<_> = shipped().iter().map(|one| format!("{} {:?}", one.key, one.purpose)).collect();
    insta::assert_snapshot!("purposes", purposes.join("\n"));
}

#[test]
fn a_cadre_is_evaluated_overall_and_by_the_five_dimensions() {
    let questions = find("cadre_evaluation").unwrap().ballot_questions();
    let first_letters: String = questions[1..].iter().filter_map(|question| question.text.chars().next()).collect();
    assert_eq!((questions.len(), first_letters.as_str()), (6, "德能勤绩廉"));
    assert_eq!(questions[0].options, ["优秀", "称职", "基本称职", "不称职"]);
}

#[test]
fn the_negative_list_has_no_score_and_no_rank() {
    let list = find("negative_list").unwrap();
    assert!(list.questions.iter().all(|item| item.weight == Share(0)));
    assert!(!list.rules.is_ranked && list.rules.grades.is_none() && list.graded_by.is_none());
    assert_eq!(find("positive_list").unwrap().continues_in.as_deref(), Some("negative_list"));
}

#[test]
fn no_question_leads_the_answer_or_asks_about_residents() {
    // A hint at what is wanted, thanks in advance, or the life of a neighbour.
    let leading =
        ["请支持", "请选", "希望您", "一定", "应该", "务必", "感谢", "邻居", "村民是否", "信仰", "哪些人", "谁"];
    for questionnaire in shipped() {
        for item in &questionnaire.questions {
            for word in leading {
                assert!(!item.text.contains(word), "{}: {}", questionnaire.key, item.text);
            }
            assert!(item.text.chars().count() <= 24, "{}", item.text);
            // The levels alone judge: the text does not.
            assert!(!item.text.contains("满意") && !item.text.contains("优秀"), "{}", item.text);
        }
        assert!(!questionnaire.introduction.contains("满意") || questionnaire.purpose == Purpose::Satisfaction);
    }
}

#[test]
fn a_questionnaire_that_cannot_work_is_refused() {
    let with = |change: fn(&mut Questionnaire)| {
        let mut questionnaire = find("cadre_evaluation").unwrap().clone();
        change(&mut questionnaire);
        questionnaire.check().unwrap_err()
    };
    let item = |scale| Item { key: "more".into(), text: "另一题".into(), scale, weight: Share(0) };
    assert_eq!(with(|one| one.questions[0].weight = Share(9999)), BadQuestionnaire::Weights);
    assert_eq!(with(|one| one.questions[0].scale = Scale::Satisfaction), BadQuestionnaire::Weights);
    assert_eq!(with(|one| one.graded_by = Some("none".into())), BadQuestionnaire::Grade);
    assert_eq!(with(|one| one.graded_by = None), BadQuestionnaire::Grade);
    assert_eq!(with(|one| one.questions[1].key = "overall".into()), BadQuestionnaire::Questions);
    assert_eq!(with(|one| one.rules.formula.key = "guess".into()), BadQuestionnaire::Rules(BadRules::Formula));
    let mut long = find("positive_list").unwrap().clone();
    long.questions.push(item(Scale::Quality));
    assert_eq!(long.check(), Err(BadQuestionnaire::Questions));
}

#[rstest]
#[case("A-jizhuoyangqing-2022.toml")]
#[case("B-zuofeng-zhengdun-2022.toml")]
#[case("C-ruanruo-huansan-2018-2019.toml")]
#[case("D-lianjie-cunju-2022-2025.toml")]
#[case("E-xuncha-zhenggai-2024.toml")]
fn every_evaluation_of_the_shipped_plans_has_its_questionnaire(#[case] file: &str) {
    let text = SHIPPED_PLANS.iter().find(|plan| plan.file == file).unwrap().text;
    let plan = crate::campaigns::read(text).unwrap();
    let lines: Vec<_> = plan
        .evaluations
        .iter()
        .map(|evaluation| {
            let questionnaire = Questionnaire::of_plan(evaluation).unwrap();
            let rules = &questionnaire.rules;
            let groups: Vec<_> =
                rules.groups.iter().map(|one| format!("{}{}", one.group.label(), one.weight)).collect();
            let scored: Vec<_> = questionnaire
                .questions
                .iter()
                .filter(|item| item.weight > Share(0))
                .map(|item| format!("{} {}", item.key, item.weight))
                .collect();
            let scale = questionnaire.questions[0].scale;
            format!(
                "{}: {} {:?} {:?}, {}, {}, {}",
                evaluation.key,
                questionnaire.key,
                questionnaire.purpose,
                scale,
                rules.formula.key,
                groups.join(" "),
                scored.join(" ")
            )
        })
        .collect();
    insta::assert_snapshot!(file, lines.join("\n"));
}

#[test]
fn a_plan_that_asks_for_what_there_is_not_is_told() {
    let plan = crate::campaigns::read(SHIPPED_PLANS[0].text).unwrap();
    let with = |change: fn(&mut crate::campaigns::plan::Evaluation)| {
        let mut evaluation = plan.evaluations[0].clone();
        change(&mut evaluation);
        Questionnaire::of_plan(&evaluation).unwrap_err()
    };
    assert_eq!(with(|one| one.questionnaire = Some("guess".into())), BadEvaluation::Unknown("guess".into()));
    assert_eq!(with(|one| one.scale = vec!["上".into(), "下".into()]), BadEvaluation::Levels("上、下".into()));
    let rules = BadQuestionnaire::Rules(BadRules::Weights);
    assert_eq!(with(|one| one.electorates[0].weight = 0.31), BadEvaluation::Questionnaire(rules));
}
