//! Whether what is handed in is what the plan asks for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::{Evidence, EvidenceKind};
use crate::{
    ids::FileId,
    refusal::{FieldFault, Refusal},
};

/// What the owner of a duty hands in, in the order in which the plan asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandedIn {
    pub items: Vec<HandedInItem>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandedInItem {
    /// As the plan calls it.
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<u32>,
    /// Photos, or photos of the pages of a document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileId>,
}

const LONGEST_TEXT: usize = 2000;
const MOST_FILES: usize = 9;

/// Holds what is handed in against what the plan asks for.
///
/// # Errors
/// Every piece that is missing, surplus or of the wrong kind.
pub fn check(asked_for: &[Evidence], handed_in: &HandedIn) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for evidence in asked_for {
        let Some((index, item)) = handed_in.items.iter().enumerate().find(|(_, item)| item.label == evidence.label)
        else {
            faults.push(FieldFault::new("/items", format!("还缺：{}。", evidence.label)));
            continue;
        };
        let at = |field: &str| format!("/items/{index}/{field}");
        match evidence.kind {
            EvidenceKind::Text if item.text.as_deref().is_none_or(|text| text.trim().is_empty()) => {
                faults.push(FieldFault::new(at("text"), "请写几句话说明。"));
            }
            EvidenceKind::Figure if item.figure.is_none() => {
                faults.push(FieldFault::new(at("figure"), "请填一个数字。"));
            }
            EvidenceKind::Photo | EvidenceKind::File if item.files.is_empty() => {
                faults.push(FieldFault::new(at("files"), "请上传照片（文件可拍照上传）。"));
            }
            _ => {}
        }
    }
    for (index, item) in handed_in.items.iter().enumerate() {
        if !asked_for.iter().any(|evidence| evidence.label == item.label) {
            faults.push(FieldFault::new(format!("/items/{index}/label"), "方案没有要求这一项。"));
        }
        if item.text.as_deref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            faults.push(FieldFault::new(format!("/items/{index}/text"), format!("最多{LONGEST_TEXT}个字。")));
        }
        if item.files.len() > MOST_FILES {
            faults.push(FieldFault::new(format!("/items/{index}/files"), format!("最多{MOST_FILES}张。")));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(faults)) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn item(label: &str) -> HandedInItem {
        HandedInItem { label: label.into(), text: None, figure: None, files: Vec::new() }
    }

    fn visited() -> HandedInItem {
        HandedInItem { figure: Some(12), ..item("户数") }
    }

    fn told() -> HandedInItem {
        HandedInItem { text: Some("走访了12户".into()), ..item("情况") }
    }

    fn shown() -> HandedInItem {
        HandedInItem { files: vec![FileId(uuid::Uuid::nil())], ..item("照片") }
    }

    #[rstest]
    #[case::complete(vec![shown(), visited(), told()], &[])]
    #[case::nothing(vec![], &["/items", "/items", "/items"])]
    #[case::no_photo(vec![visited(), told(), item("照片")], &["/items/2/files"])]
    #[case::blank(vec![visited(), shown(), HandedInItem { text: Some(" ".into()), ..item("情况") }], &["/items/2/text"])]
    #[case::no_figure(vec![told(), shown(), item("户数")], &["/items/2/figure"])]
    #[case::surplus(vec![visited(), told(), shown(), item("发票")], &["/items/3/label"])]
    #[case::too_long(vec![visited(), shown(), HandedInItem { text: Some("长".repeat(2001)), ..item("情况") }], &["/items/2/text"])]
    fn every_piece_the_plan_asks_for_is_needed(#[case] items: Vec<HandedInItem>, #[case] pointers: &[&str]) {
        let evidence = |label: &str, kind| Evidence { label: label.into(), kind };
        let asked_for = [
            evidence("户数", EvidenceKind::Figure),
            evidence("情况", EvidenceKind::Text),
            evidence("照片", EvidenceKind::Photo),
        ];
        let refused = check(&asked_for, &HandedIn { items });
        let fields: Vec<String> =
            refused.err().into_iter().flat_map(|refusal| refusal.fields).map(|field| field.pointer).collect();
        assert_eq!(fields, pointers);
    }
}
