//! The platform simulator, set up for the demo township: a phone for every account and some residents, a chat group for
//! every village.

use qingfeng_core::{
    ids::CountyId,
    outbox::consents::{self, Consent, Teller},
    refusal::Fault,
};
use qingfeng_sandbox::{
    Account as Registered, Group, Phone, RunningSandbox, Sandbox, SandboxSettings, Template, WeComAccount,
};

use super::{
    names::VILLAGES,
    people::{PHONES_PER_VILLAGE, accounts, resident_phone, robot_key},
};
use crate::{Application, Config};

/// Accepts on each phone and template at the start, so that the first cards arrive.
pub(super) const ACCEPTS: u16 = 200;

/// Starts the simulator as the configuration describes it; with the demo's phones and groups when `demo` is set.
///
/// # Errors
/// When the address is taken.
pub fn start(config: &Config, demo: bool) -> anyhow::Result<RunningSandbox> {
    let templates = vec![
        Template::new(&config.wechat.reminder_template, "待办提醒")
            .with_field("thing1", "事项")
            .with_field("date2", "期限")
            .with_field("thing3", "提示")
            .with_field("thing4", "原因"),
        Template::new(&config.wechat.progress_template, "进展通知")
            .with_field("thing1", "事项")
            .with_field("thing2", "进展")
            .with_field("thing3", "原因"),
    ];
    let account = Registered {
        app_id: config.wechat.app_id.clone(),
        app_secret: config.wechat.app_secret.clone(),
        callback_url: Some(format!("{}/callbacks/wechat", config.http.public_url)),
        callback_token: config.wechat.callback_token.clone(),
        app_url: format!("{}/app/", config.http.public_url),
        ..Registered::default()
    };
    let (phones, groups): (Vec<Phone>, _) = if demo { (phones(), groups()) } else { (Vec::new(), Vec::new()) };
    let people: Vec<String> = phones.iter().map(|phone| phone.openid.clone()).collect();
    // One clock for both: the phones show the hour that the product believes in.
    let clock = crate::cli::real_surroundings(config).clock;
    let clock: qingfeng_sandbox::Clock = std::sync::Arc::new(move || clock.now());
    let wecom = WeComAccount {
        callback_url: Some(format!("{}/callbacks/wecom", config.http.public_url)),
        robot_callback_url: Some(format!("{}/callbacks/wecom-robot", config.http.public_url)),
        ..WeComAccount::default()
    };
    let settings = SandboxSettings { account, wecom, clock, phones, groups, templates, ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings);
    for open_id in people {
        for template in [&config.wechat.reminder_template, &config.wechat.progress_template] {
            sandbox.accept_subscription(&open_id, template, ACCEPTS.into());
        }
    }
    Ok(sandbox.start(&config.sandbox.bind)?)
}

/// The product listens to the simulator's smart robot.
pub fn use_simulated_robot(config: &mut Config) {
    let simulated = WeComAccount::default();
    config.wecom.robot_token = simulated.robot_token;
    config.wecom.robot_keys = vec![simulated.robot_key];
}

/// What the simulated phones accept from the start, in the ledger.
pub(super) async fn count_accepts(application: &Application, county: CountyId) -> Result<(), Fault> {
    let settings = &application.config.wechat;
    for phone in phones() {
        for template in [&settings.reminder_template, &settings.progress_template] {
            let consent = Consent::new(&phone.openid, template);
            consents::accepted(&application.store, county, consent, Teller::Platform, ACCEPTS).await?;
        }
    }
    Ok(())
}

fn phones() -> Vec<Phone> {
    let residents = VILLAGES.iter().enumerate().flat_map(|(village, name)| {
        (0..PHONES_PER_VILLAGE).map(move |number| {
            Phone::new(resident_phone(village, number), format!("{name}村民{}", number + 1))
                .with_persona(format!("村民 {name} {}组", number % 6 + 1))
        })
    });
    let staff =
        accounts().into_iter().map(|account| Phone::new(account.open_id(), account.label.clone()).with_persona("干部"));
    staff.chain(residents).collect()
}

fn groups() -> Vec<Group> {
    VILLAGES.iter().enumerate().map(|(village, name)| Group::new(robot_key(village), format!("{name}村民群"))).collect()
}
