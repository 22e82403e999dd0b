//! Filing a complaint in the chat of the official account (1.1, 6.3): what it is about; photos, voice and a place if the
//! resident likes; a look at it; filed. Wherever somebody is, help, stop and cancel work, and what is not understood is
//! answered with what can be done.

mod draft;
mod submitting;
mod words;

use qingfeng_core::{
    complaints::{Body, queries, queries::Filter, service::LONGEST_PLACE},
    evidence::{MediaKind, PlatformMedia},
    people::{Actor, Resident},
    refusal::{Fault, Refusal},
};

use super::{
    Conversations, HELP, Wish,
    opinion::{self, Known},
    suspicion,
};
use draft::{Draft, Earlier, Step, keep};
pub(super) use draft::{Kept, forget, kept};
use submitting::{submit, supplement};
use words::{ASKED_WHAT, INTRODUCTION, LAPSED, NO_SUCH_CHOICE, PHOTOS_ARE_FULL, VOICES_ARE_FULL, asked};

/// What stands for the words where somebody only spoke.
const SPOKEN_ONLY: &str = "（语音反映，请听录音）";
/// A text shorter than this is hardly a complaint.
const SHORTEST_OFFERED: usize = 4;

/// What somebody sent.
pub(super) enum Sent<'a> {
    /// With what the platform understood of a voice note.
    Media(PlatformMedia, &'a str),
    /// What the map calls the place. Where exactly it is, is not read.
    Location(&'a str),
}

/// Who writes, and by which name the push is known.
pub(super) struct Writer<'a> {
    pub(super) resident: &'a Resident,
    pub(super) open_id: &'a str,
    pub(super) push: String,
    /// What the words are read against.
    pub(super) known: &'a Known,
}

/// Goes on with a draft; none when the wish has nothing to do with it.
pub(super) async fn go_on(
    conversations: &Conversations,
    writer: &Writer<'_>,
    draft: Draft,
    wish: &Wish,
    text: &str,
) -> Result<Option<String>, Fault> {
    match wish {
        Wish::Help => return Ok(Some(format!("您正在写一件诉求。\n{}\n不写了发“取消”。", asked(&draft)))),
        Wish::Cancel => {
            forget(conversations, writer.open_id).await?;
            return Ok(Some(format!("好的，没有提交，您写的都删掉了。\n{HELP}")));
        }
        Wish::File => return Ok(Some(format!("您有一件诉求还没提交。\n{}\n不写了发“取消”。", asked(&draft)))),
        Wish::Survey => {
            return Ok(Some(format!("您有一件诉求还没提交，先写完或发“取消”，再发“问卷”。\n{}", asked(&draft))));
        }
        Wish::OptOut | Wish::OptIn | Wish::MyComplaints | Wish::Receipt(_) | Wish::Board | Wish::Tasks => {
            return Ok(None);
        }
        // A number among other words may belong to what is told.
        Wish::Complaint(number) | Wish::Item(number) if is_hardly_more_than(text, number) => return Ok(None),
        _ => {}
    }
    // Where a number is asked for, nothing is taken down; what may be a report is shown its way all the same.
    let wants_a_number = matches!(draft.step, Step::Offered | Step::Summary | Step::Changing);
    if wants_a_number && *wish == Wish::Other && suspicion::is_doubtful(text, &writer.known.in_office) {
        let way = conversations.sealed_way().await?;
        return Ok(Some(format!("刚才这句没有保存。检举干部违纪违法，{way}\n{}", asked(&draft))));
    }
    let choice = choice(draft.step, wish, text);
    match draft.step {
        Step::Doubted => doubted(conversations, writer, draft, wish, text).await,
        Step::Offered => match (choice, draft.may_belong_to.as_ref().map(|earlier| earlier.id)) {
            (Some(3), Some(complaint)) => supplement(conversations, writer, draft, complaint).await,
            (choice, _) => offered(conversations, writer, draft, choice).await,
        },
        Step::What => described(conversations, writer, draft, wish, text).await,
        Step::More => more(conversations, writer, draft, wish, text).await,
        Step::Summary => match choice {
            Some(1) => submit(conversations, writer, draft).await,
            Some(2) => turn_to(conversations, writer, draft, Step::Changing, "").await,
            Some(3) => {
                forget(conversations, writer.open_id).await?;
                Ok(format!("好的，没有提交，您写的都删掉了。\n{HELP}"))
            }
            _ => Ok(format!("{NO_SUCH_CHOICE}{}", asked(&draft))),
        },
        Step::Changing => changing(conversations, writer, draft, choice).await,
        Step::Place => placed(conversations, writer, draft, text).await,
    }
    .map(Some)
}

/// Begins: says what is kept and who sees it, and asks.
pub(super) async fn begin(conversations: &Conversations, writer: &Writer<'_>) -> Result<String, Fault> {
    let draft = Draft::new(writer.push.clone(), Step::What);
    keep(conversations, writer.open_id, &draft).await?;
    Ok(format!("{INTRODUCTION}\n{ASKED_WHAT}"))
}

/// A text that is no known wish may be meant as a complaint; none when it hardly is.
pub(super) async fn offer(
    conversations: &Conversations,
    writer: &Writer<'_>,
    text: &str,
) -> Result<Option<String>, Fault> {
    let Ok(body) = Body::parse("/body", text) else { return Ok(None) };
    if body.as_str().chars().count() < SHORTEST_OFFERED || opinion::is_choice(text) {
        return Ok(None);
    }
    let mut draft = Draft::new(writer.push.clone(), Step::Offered);
    draft.body = body.into_string();
    draft.hold_if_doubtful(&writer.known.in_office);
    keep(conversations, writer.open_id, &draft).await?;
    Ok(Some(asked(&draft)))
}

/// A draft is gone because its time is over: said once, before what was written now is taken for something else.
pub(super) async fn lapsed(
    conversations: &Conversations,
    writer: &Writer<'_>,
    wish: &Wish,
    text: &str,
) -> Result<Option<String>, Fault> {
    if !matches!(wish, Wish::Choice(_) | Wish::Cancel | Wish::Other | Wish::Courtesy) {
        return Ok(None);
    }
    forget(conversations, writer.open_id).await?;
    let offered = if *wish == Wish::Other { offer(conversations, writer, text).await? } else { None };
    Ok(Some(match offered {
        Some(offered) => format!("{LAPSED}\n{offered}"),
        None => format!("{LAPSED}\n要重新反映，发“反映”。"),
    }))
}

/// Takes what was sent beside text.
pub(super) async fn take(
    conversations: &Conversations,
    writer: &Writer<'_>,
    kept: Kept,
    sent: Sent<'_>,
) -> Result<String, Fault> {
    let (mut draft, lapsed) = match kept {
        Kept::Open(draft) => (draft, ""),
        Kept::Lapsed => (begun_by_media(conversations, writer).await?, LAPSED),
        Kept::None => (begun_by_media(conversations, writer).await?, ""),
    };
    let said = match sent {
        Sent::Location(label) => {
            let label: String =
                label.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_PLACE).collect();
            if label.is_empty() {
                "这个位置没有地名，我们不记经纬度。请写字说在哪里。".to_owned()
            } else {
                draft.place = label;
                format!("位置记下了，只记地名：{}。", draft.place)
            }
        }
        Sent::Media(media, _) if media.kind == MediaKind::Photo => {
            if draft.add(media) {
                format!("收到第{}张照片。", draft.count(MediaKind::Photo))
            } else {
                PHOTOS_ARE_FULL.to_owned()
            }
        }
        Sent::Media(media, recognition) => spoken(&mut draft, media, recognition.trim()),
    };
    if let Some(said) = led_elsewhere(conversations, writer, &draft).await? {
        return Ok(said);
    }
    draft.hold_if_doubtful(&writer.known.in_office);
    keep(conversations, writer.open_id, &draft).await?;
    // What was heard is not repeated while it may be dropped.
    let said = if draft.step == Step::Doubted { String::new() } else { said };
    let parts = [lapsed.to_owned(), said, asked(&draft)];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"))
}

/// What was sent without a word may belong to what the resident brought up last.
async fn begun_by_media(conversations: &Conversations, writer: &Writer<'_>) -> Result<Draft, Fault> {
    let actor = Actor::Resident(writer.resident.clone());
    let own = queries::list(&conversations.store, &actor, Filter::default()).await?;
    let mut draft = Draft::new(writer.push.clone(), Step::Offered);
    let open = own.into_iter().find(|complaint| complaint.state.is_open());
    draft.may_belong_to =
        open.map(|complaint| Earlier { id: complaint.id, number: complaint.number, title: complaint.title });
    Ok(draft)
}

/// A voice note stands for the description where there is none yet.
fn spoken(draft: &mut Draft, media: PlatformMedia, recognition: &str) -> String {
    if !draft.add(media) {
        return VOICES_ARE_FULL.to_owned();
    }
    if !recognition.is_empty() {
        draft.heard.push(recognition.to_owned());
        draft.take_notice(recognition);
    }
    if !draft.body.is_empty() {
        return "收到语音。".into();
    }
    if draft.step == Step::What {
        draft.step = Step::More;
    }
    match Body::parse("/body", recognition) {
        Ok(body) => {
            draft.body = body.into_string();
            format!("收到语音，听到的是：{}\n听错了不要紧，录音会一起交。", draft.body)
        }
        Err(_) => {
            SPOKEN_ONLY.clone_into(&mut draft.body);
            "收到语音，办理的人会听录音。".into()
        }
    }
}

/// What may be a report is either dropped or goes on where it was.
async fn doubted(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    wish: &Wish,
    text: &str,
) -> Result<String, Fault> {
    let is_a_report = match wish {
        Wish::Choice(1) => Some(true),
        Wish::Choice(2) => Some(false),
        _ => words::is_a_report(text),
    };
    match is_a_report {
        Some(true) => conversations.led_to_the_sealed_way(writer.open_id).await,
        Some(false) => {
            draft.is_no_report = true;
            match draft.afterwards.take() {
                Some(step) if step != Step::Offered || !draft.media.is_empty() => {
                    turn_to(conversations, writer, draft, step, "").await
                }
                // "It tells of a matter" is what would be asked next.
                _ => offered(conversations, writer, draft, Some(1)).await,
            }
        }
        None => Ok(format!("请先回数字。{}", asked(&draft))),
    }
}

async fn offered(
    conversations: &Conversations,
    writer: &Writer<'_>,
    draft: Draft,
    choice: Option<usize>,
) -> Result<String, Fault> {
    match choice {
        Some(1) => {
            let step = if draft.body.is_empty() { Step::What } else { Step::More };
            turn_to(conversations, writer, draft, step, &format!("{INTRODUCTION}\n")).await
        }
        Some(2) => {
            forget(conversations, writer.open_id).await?;
            Ok(format!("好的，您发的没有保存。\n{HELP}"))
        }
        _ => Ok(format!("请先回数字。{}", asked(&draft))),
    }
}

async fn described(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    wish: &Wish,
    text: &str,
) -> Result<String, Fault> {
    if matches!(wish, Wish::Choice(_) | Wish::Courtesy) || text.trim().chars().count() < 2 {
        return Ok(format!("太短了，看不出是什么事。{ASKED_WHAT}"));
    }
    match Body::parse("/body", text) {
        Ok(body) => draft.body = body.into_string(),
        Err(refusal) => return Ok(refused(&refusal, &draft)),
    }
    turn_to(conversations, writer, draft, Step::More, "记下了。\n").await
}

async fn more(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    wish: &Wish,
    text: &str,
) -> Result<String, Fault> {
    match choice(draft.step, wish, text) {
        Some(1) => return turn_to(conversations, writer, draft, Step::Summary, "").await,
        Some(_) => return Ok(format!("{NO_SUCH_CHOICE}{}", asked(&draft))),
        None if *wish == Wish::Courtesy => return Ok(asked(&draft)),
        None => {}
    }
    let told = match Body::parse("/body", &format!("{}\n{}", draft.body, text.trim())) {
        Ok(body) => body.into_string(),
        Err(refusal) => return Ok(refused(&refusal, &draft)),
    };
    draft.body = told;
    draft.take_notice(text);
    turn_to(conversations, writer, draft, Step::More, "补充的记下了。\n").await
}

async fn changing(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    choice: Option<usize>,
) -> Result<String, Fault> {
    match choice {
        Some(1) => {
            draft.body.clear();
            turn_to(conversations, writer, draft, Step::What, "").await
        }
        Some(2) => {
            draft.media.clear();
            draft.heard.clear();
            draft.place.clear();
            // What stood for the recording goes with it.
            let written = draft.body.strip_prefix(SPOKEN_ONLY).map(|written| written.trim().to_owned());
            if let Some(written) = written {
                draft.body = written;
            }
            let step = if draft.body.is_empty() { Step::What } else { Step::More };
            turn_to(conversations, writer, draft, step, "照片、语音、位置都去掉了。\n").await
        }
        Some(3) => turn_to(conversations, writer, draft, Step::Place, "").await,
        Some(4) => turn_to(conversations, writer, draft, Step::Summary, "").await,
        _ => Ok(format!("{NO_SUCH_CHOICE}{}", asked(&draft))),
    }
}

async fn placed(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    text: &str,
) -> Result<String, Fault> {
    let place = text.trim();
    if place.is_empty() || place.chars().count() > LONGEST_PLACE || place.chars().any(char::is_control) {
        return Ok(format!("地点最多{LONGEST_PLACE}个字，写一行。{}", asked(&draft)));
    }
    place.clone_into(&mut draft.place);
    draft.take_notice(place);
    turn_to(conversations, writer, draft, Step::Summary, "").await
}

async fn turn_to(
    conversations: &Conversations,
    writer: &Writer<'_>,
    mut draft: Draft,
    step: Step,
    note: &str,
) -> Result<String, Fault> {
    draft.step = step;
    if step == Step::What {
        // What is told anew is asked about anew.
        draft.is_no_report = false;
    }
    if let Some(said) = led_elsewhere(conversations, writer, &draft).await? {
        return Ok(said);
    }
    draft.hold_if_doubtful(&writer.known.in_office);
    keep(conversations, writer.open_id, &draft).await?;
    // Nothing is said to be taken down while it may be dropped.
    let note = if draft.step == Step::Doubted { "" } else { note };
    Ok(format!("{note}{}", asked(&draft)))
}

/// What is told bit by bit may be a report, or rate a person, only when it is read together: then nothing of it stays.
async fn led_elsewhere(
    conversations: &Conversations,
    writer: &Writer<'_>,
    draft: &Draft,
) -> Result<Option<String>, Fault> {
    let told: String = draft.told().chars().filter(|letter| !letter.is_whitespace()).collect();
    // Whoever said that it is none may name the people whom he told of it.
    let is_a_report = if draft.is_no_report {
        suspicion::is_plain_report(&told)
    } else {
        suspicion::is_report(&told, &writer.known.in_office)
    };
    if is_a_report {
        return conversations.led_to_the_sealed_way(writer.open_id).await.map(Some);
    }
    let rates_somebody = opinion::is_about_an_office_holder(&told)
        || opinion::belongs_elsewhere(writer.known, &Wish::Other, &told, false);
    if !rates_somebody {
        return Ok(None);
    }
    forget(conversations, writer.open_id).await?;
    Ok(Some(format!("{}\n写到一半的诉求也删掉了。", conversations.not_here())))
}

fn refused(refusal: &Refusal, draft: &Draft) -> String {
    let details: String = refusal.fields.iter().map(|field| field.sentence.as_str()).collect();
    format!("{}{details}\n{}", refusal.sentence, asked(draft))
}

/// Whether a text asks for a number, and tells nothing.
pub(super) fn is_hardly_more_than(text: &str, number: &str) -> bool {
    text.chars().count() < number.chars().count() + 8
}

/// A number, or the word that people say instead of it to this question.
fn choice(step: Step, wish: &Wish, text: &str) -> Option<usize> {
    match wish {
        Wish::Choice(number) => Some(*number),
        _ => words::chosen(step, text),
    }
}
