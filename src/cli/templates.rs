//! The templates of cards, compared with what the platform has.

use std::{fmt::Write as _, process::ExitCode, sync::Arc};

use chrono::{Days, NaiveDateTime};
use qingfeng_bot::{
    channels::{Card, CardTemplates, Channels, ListedTemplate, TemplateKeys, TemplateUse, Watch},
    delivery::Outcome,
};
use qingfeng_core::{
    cache::{Cache, MemoryCache},
    clock::shanghai,
};

use crate::Config;

/// Prints the account's templates, what the configuration makes of a card, and what does not fit; fails where something does not.
///
/// # Errors
/// When the platform cannot be asked.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
pub async fn check_templates(config: &Config) -> anyhow::Result<ExitCode> {
    let clock = super::real_surroundings(config).clock;
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::clone(&clock)));
    let platforms = config.platforms();
    let channels = Channels::new(&cache, &clock, &Watch::nobody(), "templates", &platforms)?;
    let asked = channels.subscribe_messages.listed().await;
    let listed = asked.map_err(|outcome| anyhow::anyhow!("问不到微信小程序的模板：{}", why(outcome)))?;
    let mut misfits = platforms.templates.misfits(Some(platforms.consents), &listed);
    let now = clock.now().with_timezone(&shanghai()).naive_local();
    let mut report = String::new();
    account(&mut report, "小程序", &listed)?;
    samples(&mut report, &platforms.templates, now)?;
    if let Some(official) = &channels.template_messages {
        let asked = official.listed().await;
        let listed = asked.map_err(|outcome| anyhow::anyhow!("问不到服务号的模板：{}", why(outcome)))?;
        misfits.extend(official.templates().misfits(None, &listed));
        writeln!(report)?;
        account(&mut report, "服务号", &listed)?;
        samples(&mut report, official.templates(), now)?;
    }
    if misfits.is_empty() {
        writeln!(report, "\n配置与账号里的模板相符。")?;
    } else {
        writeln!(report, "\n不相符，微信会拒收：")?;
        for misfit in &misfits {
            writeln!(report, "- {misfit}")?;
        }
    }
    print!("{report}");
    Ok(if misfits.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn account(report: &mut String, name: &str, listed: &[ListedTemplate]) -> std::fmt::Result {
    writeln!(report, "{name}账号里有{}个模板：", listed.len())?;
    for template in listed {
        let sort = match template.is_long_term {
            Some(false) => "一次性订阅",
            Some(true) => "长期订阅",
            None => "",
        };
        writeln!(report, "\n《{}》{sort}  {}", template.title, template.id)?;
        for key in &template.keys {
            let choices = key.choices.as_ref().map(|choices| format!("，只能是：{}", choices.join("、")));
            writeln!(report, "  {}  {}{}", key.name, key.label, choices.unwrap_or_default())?;
        }
    }
    Ok(())
}

/// What cards become.
fn samples(report: &mut String, templates: &CardTemplates, now: NaiveDateTime) -> std::fmt::Result {
    [&templates.reminder, &templates.progress].into_iter().try_for_each(|keys| sample(report, keys, now))
}

fn sample(report: &mut String, keys: &TemplateKeys, now: NaiveDateTime) -> std::fmt::Result {
    let (due_on, hint) = match keys.template() {
        TemplateUse::Reminder => (Some(now.date() + Days::new(3)), "还有3天到期，请抓紧办理"),
        TemplateUse::Progress => (None, "新交办诉求，请及时受理"),
    };
    let card = Card {
        template: keys.template(),
        matter: "村口路灯更换".into(),
        due_on,
        hint: hint.into(),
        reason: "您负责办这件事".into(),
        page: String::new(),
    };
    writeln!(report, "\n配置的{}（{}）发出去是：", keys.template().label(), keys.id())?;
    for line in keys.lines(&card, now) {
        writeln!(report, "  {}  {}：{}", line.key, line.label, line.text)?;
    }
    Ok(())
}

/// Nothing was sent: an answer that did not come leaves no doubt here.
fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Later { reason, .. }
        | Outcome::Waits { reason, .. }
        | Outcome::NoConsent(reason)
        | Outcome::Final(reason)
        | Outcome::Dead(reason) => reason,
        _ => "微信没有回应，或回应看不懂".into(),
    }
}
