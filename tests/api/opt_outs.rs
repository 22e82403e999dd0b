//! Wanting no messages, said in the app.

use qingfeng_core::{people::Role, storage::Engine};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Cast, Chat, Person, TestServer};

const OPT_OUT: &str = "/api/me/opt-out";

async fn choose(person: &Person, body: Value) -> Answer {
    Answer::of(person.request(Method::PUT, OPT_OUT).json(&body)).await
}

async fn opted_out(person: &Person) -> Value {
    person.get(OPT_OUT).await.ok()["opted_out"].clone()
}

#[rstest]
#[actix_web::test]
async fn the_app_and_the_chat_know_one_choice(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let chat = Chat::of(&server, &cast).await;
    let person = cast.township.signed_in_as(chat.resident).await;
    assert_eq!(opted_out(&person).await, json!(false));
    // Once more changes nothing.
    for _ in 0..2 {
        choose(&person, json!({"opted_out": true})).await.ok();
        assert_eq!(opted_out(&person).await, json!(true));
    }
    assert_eq!(opted_out(&cast.resident).await, json!(false), "it is her own choice alone");
    assert!(chat.say("订阅").await.contains("已恢复"));
    assert_eq!(opted_out(&person).await, json!(false));
    assert!(chat.say("退订").await.contains("已退订"));
    assert_eq!(opted_out(&person).await, json!(true));
    choose(&person, json!({"opted_out": false})).await.ok();
    assert_eq!(opted_out(&person).await, json!(false));
}

#[actix_web::test]
async fn staff_are_told_whether_they_like_it_or_not() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let visitor = server.visitor();
    visitor.get(OPT_OUT).await.problem(401, "sign_in_needed");
    choose(&visitor, json!({"opted_out": true})).await.problem(401, "sign_in_needed");
    let administrator = cast.township.staff(Role::SystemAdministrator).await;
    for person in [&cast.secretary, &cast.office, &administrator] {
        person.get(OPT_OUT).await.problem(403, "forbidden");
        choose(person, json!({"opted_out": true})).await.problem(403, "forbidden");
    }
    choose(&cast.resident, json!({})).await.problem(422, "invalid_input");
    choose(&cast.resident, json!({"opted_out": "yes"})).await.problem(422, "invalid_input");
}
