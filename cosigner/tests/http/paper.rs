use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use qingfeng_ballots::{
    Hex,
    blind::BlindSigner,
    close::{SlipKey, SlipTag, Slips, Voided},
    codes::Code,
    log::{Note, Pinned},
    messages::operator_request,
    verification::{Reader, verify},
    voter::Credential,
};
use qingfeng_cosigner::{
    fault::Fault,
    paper::{PlatformPaper, Signatures, Wanted, slip_keys, slips_sheet},
    randomness::SystemRandomness,
    surveys::Counted,
    verifier_keys::PinnedKey,
    witness::AddCheckpoint,
};
use rstest::rstest;
use serde_json::json;

use crate::{
    actors::{Running, box_leaf, published},
    support::{County, Engine, Platform, automatic, log_signer},
};

/// How the platform behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Signs something else.
    Wrong,
    /// Signs fewer than it was asked for.
    Short,
}

/// The platform's two paper routes, with its real keys.
struct PaperDesk {
    address: String,
    told: Arc<Mutex<Slips>>,
    handle: ServerHandle,
}

#[derive(Clone)]
struct Desk {
    platform: (&'static qingfeng_ballots::blind::RsaSigner, &'static qingfeng_ballots::blind::RsaSigner),
    cosigner: PinnedKey,
    manner: Manner,
    told: Arc<Mutex<Slips>>,
}

impl PaperDesk {
    fn open(platform: &Platform, cosigner: &str, manner: Manner) -> Self {
        let told = Arc::new(Mutex::new(Slips::default()));
        let desk = Desk {
            platform: (platform.a, platform.d),
            cosigner: PinnedKey::parse(cosigner).unwrap(),
            manner,
            told: told.clone(),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(desk.clone()))
                .app_data(web::PayloadConfig::new(1 << 20))
                .route("/api/cosigner/paper", web::post().to(sign))
                .route("/api/cosigner/paper/{sid}", web::put().to(tell))
        })
        .workers(1)
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, told, handle }
    }

    fn client(&self) -> PlatformPaper {
        PlatformPaper::at(&self.address).unwrap()
    }
}

impl Drop for PaperDesk {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn is_from_cosigner(desk: &Desk, request: &HttpRequest, body: &[u8]) -> bool {
    let signature = request.headers().get("Qingfeng-Signature").and_then(|value| value.to_str().ok());
    let message = operator_request(request.method().as_str(), request.path(), body);
    signature.and_then(Hex::parse).is_some_and(|signature| desk.cosigner.has_signed(&message, &signature))
}

async fn sign(desk: web::Data<Desk>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if !is_from_cosigner(&desk, &request, &body) {
        return HttpResponse::Unauthorized().json(json!({ "detail": "没有联署人的签名" }));
    }
    let mut wanted: Wanted = serde_json::from_slice(&body).unwrap();
    match desk.manner {
        Manner::Honest => {}
        Manner::Wrong => wanted.a.rotate_left(1),
        Manner::Short => {
            wanted.a.pop();
        }
    }
    let signed = |signer: &qingfeng_ballots::blind::RsaSigner, blinded: &[Hex<256>]| -> Vec<Hex<256>> {
        let sign = |blinded: &Hex<256>| signer.blind_sign(blinded.as_slice(), &SystemRandomness).unwrap();
        blinded.iter().map(|blinded| Hex::try_from(sign(blinded).as_slice()).unwrap()).collect()
    };
    HttpResponse::Ok()
        .json(Signatures { sa: signed(desk.platform.0, &wanted.a), sd: signed(desk.platform.1, &wanted.d) })
}

async fn tell(desk: web::Data<Desk>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if !is_from_cosigner(&desk, &request, &body) {
        return HttpResponse::Unauthorized().finish();
    }
    *desk.told.lock().unwrap() = serde_json::from_slice(&body).unwrap();
    HttpResponse::NoContent().finish()
}

/// What the slip page makes of a code and the published public halves.
fn drawn(survey: &Running, code: &Code, slips: &Slips) -> Credential {
    let (ballot_key, tag_key) = slip_keys(code, &survey.sid);
    let pk = Hex(ballot_key.verifying_key().to_bytes());
    let tag = Hex(tag_key.verifying_key().to_bytes());
    let SlipKey { pa, sa, pb, sb, .. } = slips.keys.iter().find(|slip| slip.pk == pk).unwrap().clone();
    let SlipTag { pd, sd, .. } = slips.tags.iter().find(|slip| slip.tag == tag).unwrap().clone();
    Credential { survey: survey.sid, ballot_key, tag_key, pa, sa, pb, sb, pd, sd }
}

#[rstest]
#[actix_web::test]
async fn slips_are_drawn_answered_counted_and_verified(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start_with(engine, automatic).await;
    let authority = county.cosigner.authority.clone();
    let desk = PaperDesk::open(&county.platform, &authority.log_signer().public, Manner::Honest);
    let village = county.village(7).await;
    let mut survey = county.agreed_with(&village, |draft| draft.paper = 7).await;

    let (mut codes, mut sheet) = (Vec::new(), String::new());
    let platform = desk.client();
    let made = authority.make_paper(&survey.sid, 7, &platform, |batch| {
        codes = batch.codes.clone();
        sheet = slips_sheet(batch, &survey.sid, "http://127.0.0.1:8070")?.to_string();
        Ok(())
    });
    made.await.unwrap();
    let slips = desk.told.lock().unwrap().clone();
    assert_eq!((codes.len(), slips.len()), (7, 7));
    assert!(slips.is_well_formed(), "neither the order of the sheet is told, nor which key belongs to which tag");
    assert_eq!(sheet.matches("<section>").count(), 7);
    for code in &codes {
        assert_eq!(sheet.matches(code.to_print().as_str()).count(), 1);
    }

    county.extend(&mut survey, Vec::new()).await.ok();
    // Six are thrown in; the sixth is voided all the same, as is the seventh, which nobody drew.
    let outers: Vec<_> = codes[..6].iter().map(|code| survey.cast(&drawn(&survey, code, &slips), 2)).collect();
    let mut leaves: Vec<_> = outers.iter().collect();
    leaves.sort_unstable_by_key(|outer| outer.envelope_hash());
    county.extend(&mut survey, leaves.into_iter().map(box_leaf).collect()).await.ok();
    county.witnessed(&mut survey).await;
    let voided: Voided = Slips::new(codes[5..].iter().map(|code| drawn(&survey, code, &slips).slip())).voided();
    let body = json!({ "issued_a": [], "voided": voided, "note": survey.note });
    county.operate_json(&format!("/v1/surveys/{}/close", survey.sid), &body).await.ok();
    county.hand_over(&survey, &outers).await.ok();
    let counted: Counted = serde_json::from_value(county.counted(&survey).await.ok()).unwrap();
    assert_eq!((counted.ballots.len(), counted.junk.len()), (5, 0), "a voided slip does not count, and is not opened");

    let closing_note = survey.note.clone();
    let old_size = u64::try_from(survey.log.len()).unwrap();
    let mut bundle = published(&survey, &counted, &[]);
    bundle.paper = slips;
    county.publish(&mut survey, &bundle.log).await.ok();
    let proof = bundle.tree().consistency(old_size, bundle.tree().size()).unwrap();
    let request = AddCheckpoint { old_size, proof, note: Note::from_bytes(survey.note.as_bytes()).unwrap() };
    let (status, line) = county.ask_witness(request.to_bytes()).await;
    assert_eq!(status, 200, "{line}");
    bundle.checkpoints = vec![closing_note, format!("{}{line}", survey.note)];
    let reader = Reader {
        pinned: Pinned::parse(&survey.manifest.vkeys.join("\n")).unwrap(),
        checkpoints: Vec::new(),
        fingerprints: Vec::new(),
        mine: None,
        roll_size: Some(7),
    };
    let report = verify(&bundle, &reader);
    assert!(report.passed(), "{report:?}");
}

#[rstest]
#[actix_web::test]
async fn slips_are_made_once_before_the_opening_and_as_many_as_agreed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let authority = county.cosigner.authority.clone();
    let desk = PaperDesk::open(&county.platform, &authority.log_signer().public, Manner::Honest);
    let village = county.village(5).await;
    let survey = county.agreed_with(&village, |draft| draft.paper = 3).await;
    let make = async |number| authority.make_paper(&survey.sid, number, &desk.client(), |_| Ok(())).await;

    assert_eq!(make(2).await.unwrap_err().code(), Some("invalid_input"));
    assert_eq!(make(0).await.unwrap_err().code(), Some("invalid_input"));
    let platform = desk.client();
    let jammed = authority.make_paper(&survey.sid, 3, &platform, |_| Err(Fault::Unavailable("paper jam".into())));
    assert!(jammed.await.is_err());
    assert!(desk.told.lock().unwrap().is_empty(), "what was not printed does not exist");
    let none = authority.publish_paper(&survey.sid, &desk.client()).await.unwrap_err();
    assert_eq!(none.code(), Some("no_paper"));

    make(3).await.unwrap();
    let told = desk.told.lock().unwrap().clone();
    assert_eq!(make(3).await.unwrap_err().code(), Some("paper_made"));
    *desk.told.lock().unwrap() = Slips::default();
    authority.publish_paper(&survey.sid, &desk.client()).await.unwrap();
    assert_eq!(*desk.told.lock().unwrap(), told, "told again, the same");
    assert_eq!(authority.minutes().await.unwrap().len(), 1);

    let mut open = county.agreed_with(&village, |draft| draft.paper = 3).await;
    county.extend(&mut open, Vec::new()).await.ok();
    let late = authority.make_paper(&open.sid, 3, &desk.client(), |_| Ok(())).await.unwrap_err();
    assert_eq!(late.code(), Some("already_open"));
}

#[rstest]
#[case::wrong(Manner::Wrong)]
#[case::short(Manner::Short)]
#[actix_web::test]
async fn nothing_is_printed_when_the_platform_signs_something_else(#[case] manner: Manner) {
    let county = County::start(Engine::Sqlite).await;
    let authority = county.cosigner.authority.clone();
    let village = county.village(5).await;
    let survey = county.agreed_with(&village, |draft| draft.paper = 3).await;
    let desk = PaperDesk::open(&county.platform, &authority.log_signer().public, manner);
    let (platform, mut printed) = (desk.client(), false);
    let made = authority.make_paper(&survey.sid, 3, &platform, |_| {
        printed = true;
        Ok(())
    });
    assert_eq!(made.await.unwrap_err().code(), Some("bad_platform_signature"));
    assert!(!printed && desk.told.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn a_platform_that_refuses_is_quoted() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(5).await;
    let survey = county.agreed_with(&village, |draft| draft.paper = 3).await;
    // It knows another co-signer.
    let desk = PaperDesk::open(&county.platform, &log_signer("cosigner.qinghe").public, Manner::Honest);
    let made = county.cosigner.authority.make_paper(&survey.sid, 3, &desk.client(), |_| Ok(())).await.unwrap_err();
    assert_eq!(made.code(), Some("platform_refused"));
    assert!(made.to_string().contains("没有联署人的签名"), "{made}");
}
