use qingfeng_core::storage::Engine;
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Cast, Person, TestServer, path};

/// A small valid PNG.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut png = Vec::new();
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([200, 30, 30]));
    image.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    png
}

async fn upload(person: &Person, bytes: Vec<u8>) -> Answer {
    let form = Form::new().part("photo", Part::bytes(bytes).file_name("IMG_0001.jpg"));
    Answer::of(person.request(Method::POST, "/api/files").multipart(form)).await
}

/// A fresh photo of this person's.
pub async fn uploaded(person: &Person) -> String {
    upload(person, picture(40, 30)).await.ok()["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[actix_web::test]
async fn a_complaints_photo_is_seen_by_those_who_work_on_it_and_nobody_else(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let file = upload(&cast.resident, picture(40, 30)).await.ok()["id"].as_str().unwrap().to_owned();
    let address = format!("/api/files/{file}/view");
    assert_eq!(cast.resident.get(&address).await.status, 200);
    cast.office.get(&address).await.problem(404, "not_found");
    let filed = cast.resident.post("/api/complaints", json!({"body": "路灯坏了", "photos": [file]})).await;
    let complaint = path(&filed);
    for person in [&cast.resident, &cast.office] {
        assert_eq!(person.get(&address).await.status, 200);
    }
    let (stranger, _) = cast.township.resident(cast.village).await;
    stranger.get(&address).await.problem(404, "not_found");
    server.visitor().get(&address).await.problem(404, "not_found");
    assert_eq!(cast.office.get(&complaint).await.ok()["photos"][0]["file_id"], json!(file));
    // A photo belongs to one thing.
    let again = cast.resident.post("/api/complaints", json!({"body": "又坏了", "photos": [file]})).await;
    assert_eq!(again.problem(422, "invalid_input")["errors"][0]["pointer"], "/photos");
    // And only to its uploader's things.
    let other = upload(&stranger, picture(10, 10)).await.ok()["id"].clone();
    cast.resident
        .post("/api/complaints", json!({"body": "坏了", "photos": [other]}))
        .await
        .problem(422, "invalid_input");
    cast.resident.get(&format!("/api/files/{file}/huge")).await.problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn what_is_no_usable_photo_is_refused_in_words() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    upload(&cast.resident, b"%PDF-1.7".to_vec()).await.problem(415, "image_type_unsupported");
    upload(&cast.resident, vec![]).await.problem(422, "photo_missing");
    let mut broken = picture(50, 50);
    broken.truncate(60);
    upload(&cast.resident, broken).await.problem(422, "image_broken");
    upload(&cast.resident, vec![0; 16 * 1024 * 1024]).await.problem(413, "image_too_large");
    // A few kilobytes that would unpack into a hundred megapixels.
    upload(&cast.resident, picture(10_000, 10_000)).await.problem(413, "image_too_many_pixels");
    upload(&server.visitor(), picture(5, 5)).await.problem(401, "sign_in_needed");
    let no_form = Answer::of(cast.resident.request(Method::POST, "/api/files").body("x")).await;
    no_form.problem(422, "body_unreadable");
}
