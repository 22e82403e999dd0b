//! Whether a configured template is the one that the account has.

use qingfeng_core::outbox::consents::Validity;

use super::{keys::TemplateKeys, kind::KeyKind, listed::ListedTemplate};

/// What the platform would refuse, or would take another way than we count, in Chinese sentences for whoever sets up the
/// product. Nothing secret is in them: `/readyz` shows them to everybody.
pub(super) fn misfits(keys: &TemplateKeys, consents: Option<Validity>, listed: &[ListedTemplate]) -> Vec<String> {
    let (account, whose) = if consents.is_some() { ("小程序", "") } else { ("服务号", "服务号的") };
    let of = format!("{whose}{}", keys.template().label());
    let Some(template) = listed.iter().find(|template| template.id == keys.id()) else {
        return vec![format!("{of}：{account}账号里没有这个编号的模板")];
    };
    let of = format!("{of}《{}》", template.title);
    let mut misfits = Vec::new();
    match (template.is_long_term, consents) {
        (_, None) => {}
        (Some(false), Some(Validity::LongTerm)) => {
            misfits.push(format!("{of}是一次性订阅，配置里写的是长期订阅（long_term_templates）"));
        }
        (Some(true), Some(Validity::Once)) => {
            misfits.push(format!("{of}是长期订阅，配置里写的是一次性订阅（long_term_templates）"));
        }
        (None, Some(_)) => misfits.push(format!("{of}不是一次性订阅，也不是长期订阅")),
        (Some(true), Some(Validity::LongTerm)) | (Some(false), Some(Validity::Once)) => {}
    }
    misfits.extend(key_misfits(keys, template, &of));
    misfits
}

/// Whether the account has the template and would refuse every card by it, because of its keys. One that it does not have says so
/// itself when it is used (40037).
pub(super) fn is_unfit(keys: &TemplateKeys, listed: &[ListedTemplate]) -> bool {
    let template = listed.iter().find(|template| template.id == keys.id());
    template.is_some_and(|template| !key_misfits(keys, template, "").is_empty())
}

fn key_misfits(keys: &TemplateKeys, template: &ListedTemplate, of: &str) -> Vec<String> {
    let mut misfits = Vec::new();
    let is_there = |name: &str| template.keys.iter().any(|key| key.name == name);
    for (role, name) in keys.roles().filter(|(_, name)| !is_there(name)) {
        misfits.push(format!("{of}里没有 {name}（{}，{}）", role.label(), role.setting()));
    }
    for (name, _) in keys.always().filter(|(name, _)| !is_there(name)) {
        misfits.push(format!("{of}里没有 {name}（固定内容，always）"));
    }
    let configured: Vec<&str> = keys.roles().map(|(_, name)| name).chain(keys.always().map(|(name, _)| name)).collect();
    for key in template.keys.iter().filter(|key| !configured.contains(&key.name.as_str())) {
        misfits.push(format!("{of}的 {}（{}）没有配置放什么", key.name, key.label));
    }
    for (name, words) in keys.always().filter(|(name, _)| KeyKind::of(name) == Some(KeyKind::Enum)) {
        let key = template.keys.iter().find(|key| key.name == name);
        let Some(choices) = key.and_then(|key| key.choices.as_ref()) else { continue };
        if !choices.iter().any(|choice| choice == words) {
            misfits.push(format!("{of}的 {name} 只能是：{}；配置里写的是“{words}”", choices.join("、")));
        }
    }
    misfits
}
