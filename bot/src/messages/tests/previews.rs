//! Previews show what the platforms get, with the room that it takes.

use std::fmt::Write as _;

use serde_json::json;

use super::{PUBLIC_URL, templates, today};
use crate::messages::{Preview, kind, kinds, preview, sample_facts};

fn shown(preview: &Preview) -> String {
    let mut shown = String::new();
    for view in &preview.views {
        writeln!(shown, "== {}", view.label).unwrap();
        for field in &view.fields {
            let unit = if field.in_bytes { "B" } else { "字" };
            let limit = field.limit.map(|limit| format!("/{limit}")).unwrap_or_default();
            writeln!(shown, "{}（{}{limit}{unit}）：{}", field.name, field.used, field.text).unwrap();
        }
    }
    shown
}

#[test]
fn a_card_and_a_post_are_shown_as_each_platform_gets_them() {
    for key in ["staff.deadline_ahead", "resident.complaint_dispatched", "group.monthly_progress"] {
        let kind = kind(key).unwrap();
        let preview =
            preview(kind, kind.text(), &sample_facts(kind, today()), PUBLIC_URL, today(), &templates()).unwrap();
        insta::assert_snapshot!(format!("preview_{key}"), shown(&preview));
    }
}

#[test]
fn every_kind_can_be_shown_with_made_up_facts_within_every_limit() {
    for kind in kinds() {
        let preview =
            preview(kind, kind.text(), &sample_facts(kind, today()), PUBLIC_URL, today(), &templates()).unwrap();
        assert!(
            !preview.views.is_empty() && preview.views.iter().all(|view| !view.fields.is_empty()),
            "{}",
            kind.key()
        );
        for field in preview.views.iter().flat_map(|view| &view.fields) {
            assert!(field.limit.is_none_or(|limit| field.used <= limit), "{} {field:?}", kind.key());
        }
    }
}

#[test]
fn a_post_of_just_the_limit_is_one_message_in_the_preview() {
    let kind = kind("group.rectification_progress").unwrap();
    let facts = json!({"text": "好"});
    let text = |length: usize| "a".repeat(length);
    let at_the_limit = preview(kind, &text(4096), &facts, PUBLIC_URL, today(), &templates()).unwrap();
    assert_eq!((at_the_limit.views[0].fields.len(), at_the_limit.views[0].fields[0].used), (1, 4096));
    let fault = preview(kind, &text(4097), &facts, PUBLIC_URL, today(), &templates()).unwrap_err();
    assert!(fault.sentence.contains("有4097字节"), "{fault:?}");
}
