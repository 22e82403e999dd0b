//! Cards in the chat with the official account.

use chrono::TimeDelta;
use qingfeng_bot::{
    channels::{Channels, TemplateMessages, TemplateTrouble},
    delivery::Outcome,
};
use qingfeng_sandbox::{Content, Fault, FaultKind, Platform};

use crate::{
    replicas::{Replicas, Shared},
    templates::{usual_progress, usual_reminder, usual_template},
};

fn channel(replica: &Channels) -> &TemplateMessages {
    replica.template_messages.as_ref().expect("the account has templates")
}

#[tokio::test]
async fn a_card_under_one_name_arrives_once_and_only_at_who_follows() {
    let replicas = Replicas::on(Shared::Memory).await;
    replicas.platforms.add_template(usual_template()).unwrap();
    let (first, second) = (channel(&replicas.first), channel(&replicas.second));
    let person = replicas.platforms.phone("phone-1").official_openid();
    let request = first.request(&person, &usual_reminder(), "message-7");
    let cut = Fault::new(Platform::WeChat, FaultKind::Cut).at("/cgi-bin/message/template/send").times(1);
    replicas.platforms.inject(cut);
    let unknown = first.send(&request).await;
    assert!(matches!(unknown, Ok(Outcome::Unknown(_))), "{unknown:?}");
    assert!(second.send(&request).await.unwrap().is_taken());
    assert_eq!(replicas.platforms.phone("phone-1").messages().len(), 1);
    let arrived = replicas.platforms.phone("phone-1").messages().remove(0).content;
    assert!(
        matches!(&arrived, Content::SubscribeMessage { page: Some(page), .. } if page == "pages/desk/index"),
        "{arrived:?}"
    );
    // Afterwards the platform has forgotten the name.
    replicas.clock.advance(TimeDelta::minutes(11));
    assert!(first.send(&request).await.unwrap().is_taken());
    assert_eq!(replicas.platforms.phone("phone-1").messages().len(), 2);

    replicas.platforms.phone("phone-1").unfollow();
    let refused = first.send(&request).await.unwrap();
    assert!(matches!(&refused, Outcome::NoConsent(reason) if reason.contains("43004")), "{refused:?}");
}

#[tokio::test]
async fn a_template_that_the_account_does_not_have_is_told() {
    let replicas = Replicas::on(Shared::Memory).await;
    let channel = channel(&replicas.first);
    let person = replicas.platforms.phone("phone-1").official_openid();
    let sent = channel.send(&channel.request(&person, &usual_reminder(), "message-7")).await;
    assert!(matches!(sent, Err(TemplateTrouble::Doubted { code: 40037, .. })), "{sent:?}");
    assert_eq!(channel.misfits().await.unwrap().len(), 2);
    replicas.platforms.add_template(usual_template()).unwrap();
    replicas.platforms.add_template(usual_progress()).unwrap();
    assert_eq!(channel.misfits().await, Ok(Vec::new()));
    replicas.platforms.inject(Fault::new(Platform::WeChat, FaultKind::Outage));
    assert!(channel.misfits().await.is_err());
}
