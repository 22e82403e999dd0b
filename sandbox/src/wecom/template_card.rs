//! Template cards, checked as the platform does. The character counts that it advises are no reason to refuse.

use super::card_parts::{
    Action, Card, CardButton, Checkbox, ImageTextArea, Menu, QuoteArea, Selection, SubmitButton, Title,
};
use crate::{
    answer::{Refused, refused},
    journal::{Button, Content, Line},
};

const LINES: usize = 6;
const VERTICAL_LINES: usize = 4;
const JUMPS: usize = 3;
const BUTTONS: usize = 6;
const TASK_BYTES: usize = 128;
const CHOICES: usize = 20;
const SELECTIONS: usize = 3;
const SELECTION_CHOICES: usize = 10;
const MENU_ACTIONS: std::ops::RangeInclusive<usize> = 1..=3;
/// Breadth of a picture by its height.
const ASPECT: std::ops::RangeInclusive<f64> = 1.3..=2.25;

fn wrong<T>(field: &str) -> Result<T, Refused> {
    refused(40058, format!("template_card.{field} invalid. invalid Request Parameter"))
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// `in_app`: cards that ask something back are for app messages only.
pub(super) fn content(card: &Card, in_app: bool) -> Result<Content, Refused> {
    let title = card.main_title.as_ref().map(|title| title.title.as_str()).unwrap_or_default();
    let asks = match (card.card_type.as_str(), in_app) {
        ("text_notice", _) => false,
        ("news_notice", _) => {
            check_news(card, title)?;
            false
        }
        ("button_interaction", true) => {
            check_buttons(&card.button_list)?;
            true
        }
        ("vote_interaction", true) => {
            check_vote(card.checkbox.as_ref(), card.submit_button.as_ref())?;
            true
        }
        ("multiple_interaction", true) => {
            check_selections(&card.select_list, card.submit_button.as_ref())?;
            true
        }
        _ => return wrong("card_type"),
    };
    if asks || !card.task_id.is_empty() || card.action_menu.is_some() {
        check_task(&card.task_id)?;
    }
    if title.is_empty() && card.sub_title_text.is_empty() {
        return wrong("main_title");
    }
    check_parts(card)?;
    let opens = card.card_action.as_ref().and_then(Action::opens);
    if opens.is_none() && !asks {
        return wrong("card_action");
    }
    Ok(shown(card, title, opens))
}

fn check_task(task: &str) -> Result<(), Refused> {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"_-@".contains(&letter);
    if task.is_empty() || task.len() > TASK_BYTES || !task.bytes().all(plain) { wrong("task_id") } else { Ok(()) }
}

fn check_news(card: &Card, title: &str) -> Result<(), Refused> {
    let Some(image) = &card.card_image else { return wrong("card_image") };
    let ratio = image.aspect_ratio.unwrap_or(1.3);
    if title.is_empty() || !is_web(&image.url) || !ASPECT.contains(&ratio) {
        return wrong("card_image");
    }
    let area = |area: &ImageTextArea| is_web(&area.image_url);
    if card.image_text_area.as_ref().is_some_and(|found| !area(found)) {
        return wrong("image_text_area");
    }
    Ok(())
}

fn check_buttons(buttons: &[CardButton]) -> Result<(), Refused> {
    let fits = |button: &CardButton| {
        let leads = match button.kind {
            0 => !button.key.is_empty(),
            1 => is_web(&button.url),
            _ => false,
        };
        leads && !button.text.is_empty() && button.style <= 4
    };
    if buttons.is_empty() || buttons.len() > BUTTONS || !buttons.iter().all(fits) {
        return wrong("button_list");
    }
    Ok(())
}

fn check_submit(submit: Option<&SubmitButton>) -> Result<(), Refused> {
    match submit {
        Some(submit) if !submit.text.is_empty() && !submit.key.is_empty() => Ok(()),
        _ => wrong("submit_button"),
    }
}

fn check_vote(checkbox: Option<&Checkbox>, submit: Option<&SubmitButton>) -> Result<(), Refused> {
    check_submit(submit)?;
    let Some(checkbox) = checkbox else { return wrong("checkbox") };
    let options = &checkbox.option_list;
    if checkbox.question_key.is_empty() || checkbox.mode > 1 || !(1..=CHOICES).contains(&options.len()) {
        return wrong("checkbox");
    }
    if options.iter().any(|option| option.id.is_empty() || option.text.is_empty()) {
        return wrong("checkbox.option_list");
    }
    Ok(())
}

fn check_selections(selections: &[Selection], submit: Option<&SubmitButton>) -> Result<(), Refused> {
    check_submit(submit)?;
    let fits = |selection: &Selection| {
        !selection.question_key.is_empty() && (1..=SELECTION_CHOICES).contains(&selection.option_list.len())
    };
    if !(1..=SELECTIONS).contains(&selections.len()) || !selections.iter().all(fits) {
        return wrong("select_list");
    }
    Ok(())
}

/// What every kind of card may have.
fn check_parts(card: &Card) -> Result<(), Refused> {
    if card.horizontal_content_list.len() > LINES || card.horizontal_content_list.iter().any(|line| !line.fits()) {
        return wrong("horizontal_content_list");
    }
    let vertical = &card.vertical_content_list;
    if vertical.len() > VERTICAL_LINES || vertical.iter().any(|line| line.title.is_empty()) {
        return wrong("vertical_content_list");
    }
    let leads = |jump: &Action| !jump.title.is_empty() && (jump.kind == 0 || jump.opens().is_some());
    if card.jump_list.len() > JUMPS || !card.jump_list.iter().all(leads) {
        return wrong("jump_list");
    }
    if card.source.as_ref().is_some_and(|source| source.desc_color > 3 || source.icon_url.starts_with("javascript")) {
        return wrong("source");
    }
    let quoted = |quote: &QuoteArea| !quote.title.is_empty() || !quote.quote_text.is_empty();
    if card.quote_area.as_ref().is_some_and(|quote| !quoted(quote)) {
        return wrong("quote_area");
    }
    let offers = |menu: &Menu| MENU_ACTIONS.contains(&menu.action_list.len());
    if card.action_menu.as_ref().is_some_and(|menu| !offers(menu)) {
        return wrong("action_menu");
    }
    Ok(())
}

fn shown(card: &Card, title: &str, opens: Option<String>) -> Content {
    let of_title = |title: &Title| [title.title.clone(), title.desc.clone()];
    let main = card.main_title.as_ref().map(|title| title.desc.clone());
    let quote = card.quote_area.as_ref().map(|quote| [quote.title.clone(), quote.quote_text.clone()].concat());
    let area = card.image_text_area.as_ref().map(|area| [area.title.clone(), area.desc.clone()].join(" "));
    let vertical = card.vertical_content_list.iter().flat_map(of_title);
    let words = main
        .into_iter()
        .chain(card.emphasis_content.iter().flat_map(of_title))
        .chain([
            card.sub_title_text.clone(),
            card.source.as_ref().map_or_else(String::new, |source| source.desc.clone()),
        ])
        .chain(quote.map(|quote| format!("> {quote}")))
        .chain(area)
        .chain(vertical)
        .filter(|words| !words.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let line =
        |label: &str, value: &str| Line { key: label.to_owned(), label: label.to_owned(), value: value.to_owned() };
    let horizontal = card.horizontal_content_list.iter().map(|one| line(&one.keyname, &one.value));
    let asked =
        card.checkbox.iter().flat_map(|checkbox| &checkbox.option_list).map(|option| line("选项", &option.text));
    let selected = card.select_list.iter().map(|selection| {
        let choices: Vec<&str> = selection.option_list.iter().map(|option| option.text.as_str()).collect();
        line(&selection.title, &choices.join("、"))
    });
    let buttons = card.button_list.iter().map(|button| (&button.text, &button.key));
    let submit = card.submit_button.iter().map(|submit| (&submit.text, &submit.key));
    Content::Card {
        title: title.to_owned(),
        words,
        lines: horizontal.chain(asked).chain(selected).collect(),
        opens: opens.unwrap_or_default(),
        buttons: buttons.chain(submit).map(|(text, key)| Button { text: text.clone(), key: key.clone() }).collect(),
        task: Some(card.task_id.clone()).filter(|task| !task.is_empty()),
    }
}
