//! Codes on paper: a copy of the database is not enough to find them by trying.

use qingfeng_core::{complaints::entity::reporters, people::entity::invitations, people::sign_in, storage::Engine};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Cast, TestServer};

/// A receipt's code without its dashes.
async fn receipt(cast: &Cast<'_>) -> String {
    let body = json!({"village_id": cast.village.id, "channel": "visit", "complaint": {"body": "路灯坏了"}});
    let filed = cast.office.post("/api/complaints/on-behalf", body).await.ok();
    filed["receipt_code"].as_str().unwrap().replace('-', "")
}

fn plain(prefix: &str, code: &str) -> Vec<u8> {
    Sha256::digest(format!("{prefix}{code}").as_bytes()).to_vec()
}

async fn look_up(server: &TestServer, code: &str) -> Answer {
    server.visitor().post("/api/receipts/lookup", json!({"receipt_code": code})).await
}

async fn kept(server: &TestServer) -> Vec<Vec<u8>> {
    let reader = server.application.store.reader();
    let receipts = reporters::Entity::find().all(reader).await.unwrap();
    let invited = invitations::Entity::find().all(reader).await.unwrap();
    receipts
        .into_iter()
        .filter_map(|row| row.receipt_digest)
        .chain(invited.into_iter().map(|row| row.code_digest))
        .collect()
}

#[rstest]
#[actix_web::test]
async fn what_is_kept_of_a_code_cannot_be_worked_out_without_the_installations_key(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let code = receipt(&cast).await;
    let kept = kept(&server).await;
    assert_eq!(kept.len(), 1);
    for digest in [plain("qingfeng receipt v1", &code), plain("", &code)] {
        assert!(!kept[0].windows(digest.len()).any(|part| part == digest));
    }
    look_up(&server, &code).await.ok();
}

#[rstest]
#[actix_web::test]
async fn codes_that_were_printed_before_there_was_a_key_still_open_and_their_plain_digests_are_gone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let code = receipt(&cast).await;
    let (county, resident) = (cast.township.county, cast.township.add_resident(cast.village, None, None).await);
    let codes = server.application.paper_codes.clone();
    let invitation = cast
        .township
        .write(move |unit| Box::pin(async move { sign_in::invite(unit, &codes, county, resident).await }))
        .await;
    // As an older version left them.
    let (old_receipt, old_invitation) = (plain("qingfeng receipt v1", &code), plain("", &invitation));
    let (receipt_digest, code_digest) = (old_receipt.clone(), old_invitation.clone());
    cast.township
        .write(move |unit| {
            Box::pin(async move {
                reporters::Entity::update_many()
                    .col_expr(reporters::Column::ReceiptDigest, Expr::value(receipt_digest))
                    .filter(reporters::Column::ReceiptDigest.is_not_null())
                    .exec(unit.connection())
                    .await?;
                invitations::Entity::update_many()
                    .col_expr(invitations::Column::CodeDigest, Expr::value(code_digest))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await;
    look_up(&server, &code).await.problem(404, "receipt_unknown");
    for _ in 0..2 {
        server.application.paper_codes.bring_up_to_date(&server.application.store).await.unwrap();
        assert!(kept(&server).await.iter().all(|digest| *digest != old_receipt && *digest != old_invitation));
    }
    look_up(&server, &code).await.ok();
    let signed_in: Value =
        server.visitor().post("/api/sign-in/invitation", json!({"invitation_code": invitation})).await.ok();
    assert!(signed_in["access_token"].is_string());
}
