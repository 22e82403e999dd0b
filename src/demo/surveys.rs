//! Two anonymous surveys of the demo's first village: last quarter's with its result, and one that is open, in which many
//! neighbours have answered and whoever tries the demo has not. Everybody's answer takes the way that phones' answers take.

use std::{fs, net::IpAddr, path::Path, sync::Arc};

use anyhow::Context;
use chrono::{Days, NaiveDate, NaiveTime};
use ed25519_dalek::{Signer, SigningKey};
use qingfeng_ballots::{Hex, answers::Answers, codes::Code, manifest::Manifest, messages, voter::Request};
use qingfeng_core::{
    clock::{SimulatedClock, shanghai_date, shanghai_instant},
    ids::{CountyId, OrganizationId, ResidentId, SealedSurveyId},
    people::{
        self, Actor, PersonKind, RosterGroup,
        entity::{organizations, staff},
        phones,
    },
    refusal::{Fault, Refusal},
    sealed_surveys::{
        BallotBoxId, BoxState,
        entity::sealed_surveys,
        planning::Topic,
        queries, questionnaires, results,
        service::{self, CredentialRequest, NewSealedSurvey, Thrown, find_box},
    },
    storage::{Command, Surroundings},
};
use qingfeng_cosigner::{
    Authority,
    randomness::SystemRandomness,
    roll::{Enrolment, Extent, RollLine},
    surveys::{AskedBy, CosignRequest},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::authorities::Authorities;
use crate::{
    Application, Config,
    cli::export_roll,
    sealed_surveys::{advance, prepare},
};

const VILLAGE: &str = "东河村";
const QUESTIONNAIRE: &str = "public_satisfaction";
/// Last quarter's survey began so many days ago, and took five days.
const BEGAN_DAYS_AGO: u64 = 20;
const ANSWERED_LAST_TIME: usize = 26;
/// One envelope more waits: with a newcomer's own it is a batch.
const ANSWERED_THIS_TIME: usize = 20;
/// Answers in turns: many content, some not.
const ANSWERS: [u8; 10] = [1, 2, 1, 1, 3, 2, 1, 2, 1, 4];

/// A card of somebody whose phone is in the simulator.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DemoCard {
    pub(crate) phone: String,
    pub(crate) code: String,
}

/// The cards of the demo's phones. Cards are paper that the co-signer hands out; who tries the demo holds them all.
pub(crate) fn cards(config: &Config) -> Vec<DemoCard> {
    let content = fs::read(cards_file(config)).ok();
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

fn cards_file(config: &Config) -> std::path::PathBuf {
    config.secrets.file.parent().unwrap_or_else(|| Path::new("")).join("demo-cards.json")
}

/// Somebody who takes part, with a phone that was enrolled.
struct Neighbour {
    resident: ResidentId,
    phone: SigningKey,
}

/// Seeds both surveys, once.
///
/// # Errors
/// When the database, co-signer or witness does not answer.
pub async fn seed_surveys(application: &Application, authorities: &Authorities) -> anyhow::Result<()> {
    if sealed_surveys::Entity::find().count(application.store.reader()).await.map_err(Fault::from)? > 0 {
        return Ok(());
    }
    tracing::info!("seeding the demo's anonymous surveys");
    let now = application.store.clock().now();
    let today = shanghai_date(now);
    let clock = Arc::new(SimulatedClock::at_shanghai(today - Days::new(BEGAN_DAYS_AGO), 9));
    let surroundings =
        Surroundings { clock: clock.clone(), randomness: Arc::clone(&application.store.surroundings().randomness) };
    let inside = authorities.inside(clock.clone()).await?;
    let then = Application::start(application.config.clone(), surroundings).await?;
    let authority = &inside.cosigner.authority;
    let story = Story::begin(&then, authority, &clock, today).await?;

    let last = story.plan("上季度村务满意度", today - Days::new(BEGAN_DAYS_AGO)).await?;
    story.answer(last, &story.neighbours[..ANSWERED_LAST_TIME], 0).await?;
    for days_ago in [15, 14, 7, 6] {
        story.on(days_ago);
        story.go_on(last).await?;
    }
    let state = find_box(&then.store, last).await?.state;
    anyhow::ensure!(state == BoxState::Wiped, "last quarter's box of the demo is {state:?}");
    super::withdraw_messages(&then.store).await?;

    clock.set(now);
    let open = story.plan("本季度村务满意度", today).await?;
    let (logged, waiting) = story.neighbours[1..=ANSWERED_THIS_TIME + 1].split_at(ANSWERED_THIS_TIME);
    story.answer(open, logged, 3).await?;
    story.answer(open, waiting, 0).await?;
    inside.stop().await;
    Ok(())
}

struct Story<'a> {
    application: &'a Application,
    authority: &'a Authority,
    clock: &'a SimulatedClock,
    today: NaiveDate,
    county: CountyId,
    township: OrganizationId,
    village: OrganizationId,
    office: Actor,
    neighbours: Vec<Neighbour>,
}

impl<'a> Story<'a> {
    /// Roll, cards, and the neighbours' phones.
    async fn begin(
        application: &'a Application,
        authority: &'a Authority,
        clock: &'a SimulatedClock,
        today: NaiveDate,
    ) -> anyhow::Result<Self> {
        let connection = application.store.reader();
        let village = organizations::Entity::find()
            .filter(organizations::Column::Name.eq(VILLAGE))
            .one(connection)
            .await?
            .with_context(|| format!("the demo has no {VILLAGE}"))?;
        let office = staff::Entity::find().filter(staff::Column::Login.eq("office")).one(connection).await?;
        let office = office.context("the demo has no office")?.id;
        let office = people::load_staff(&application.store, office, today).await?.ok_or_else(Refusal::not_found)?;
        let roll = export_roll(application, super::people::TOWNSHIP_CODE).await?.join("\n");
        authority
            .import_roll(&RollLine::parse_file(&roll).map_err(qingfeng_cosigner::fault::Fault::from)?, Extent::Complete)
            .await?;
        let (mut neighbours, mut cards) = (Vec::new(), Vec::new());
        for card in authority.make_cards(village.id.0).await? {
            let resident = ResidentId(card.resident);
            if let Some(phone) = phones::open_id(connection, PersonKind::Resident, resident.0).await? {
                cards.push(DemoCard { phone, code: card.code.to_print().to_string() });
            } else if is_ordinary(application, resident).await? {
                neighbours.push(Neighbour { resident, phone: enrol(application, authority, &card.code).await? });
            }
        }
        cards.sort_by(|one, other| one.phone.cmp(&other.phone));
        let file = cards_file(&application.config);
        fs::write(&file, serde_json::to_vec(&cards)?).with_context(|| file.display().to_string())?;
        Ok(Self {
            application,
            authority,
            clock,
            today,
            county: village.county_id,
            township: village.parent_id.context("a village has a township")?,
            village: village.id,
            office: Actor::Staff(office),
            neighbours,
        })
    }

    fn on(&self, days_ago: u64) {
        let time = NaiveTime::from_hms_opt(9, 30, 0).unwrap_or_default();
        self.clock.set(shanghai_instant(self.today - Days::new(days_ago), time));
    }

    /// Planned, prepared and opened; asked are the village's residents.
    async fn plan(&self, title: &str, from: NaiveDate) -> anyhow::Result<BallotBoxId> {
        let store = &self.application.store;
        let new = NewSealedSurvey {
            township: self.township,
            title: format!("{VILLAGE}{title}"),
            questionnaire: questionnaires::find(QUESTIONNAIRE).context("the questionnaire ships")?.clone(),
            min_level: 2,
            topics: vec![Topic { evaluatee: None, staff: None, organization: None, village: Some(self.village) }],
            classes: vec![RosterGroup::Resident],
            issue_from: from,
            issue_until: from + Days::new(4),
            cast_until: from + Days::new(5),
            paper: 0,
            single_operator: false,
            asked_for_by: None,
        };
        let office = Command::by(&self.office);
        let id: SealedSurveyId = service::create(store, &office, self.county, new).await?.value;
        let survey = queries::survey_with_boxes(store, id).await?;
        let prepared = prepare(self.application, &self.office, &survey).await?;
        let [only] = prepared.as_slice() else { anyhow::bail!("one village and one class is one box") };
        anyhow::ensure!(only.state == BoxState::Signed, "a box of the demo waits: {:?}", only.trouble);
        service::open(store, &office, self.county, id, self.application.surveys_link()).await?;
        Ok(only.sid)
    }

    /// These people draw their credentials, answer, and what they threw in goes into the log when it is a batch.
    async fn answer(&self, sid: BallotBoxId, neighbours: &[Neighbour], first: usize) -> anyhow::Result<()> {
        let manifest =
            find_box(&self.application.store, sid).await?.manifest.context("an open box has its manifest")?;
        let manifest: Manifest = serde_json::from_str(&manifest)?;
        for (number, neighbour) in neighbours.iter().enumerate() {
            Box::pin(self.vote(sid, &manifest, neighbour, first + number)).await?;
        }
        self.go_on(sid).await
    }

    async fn vote(
        &self,
        sid: BallotBoxId,
        manifest: &Manifest,
        neighbour: &Neighbour,
        number: usize,
    ) -> anyhow::Result<()> {
        let (keys, application) = (manifest.check()?, self.application);
        let request = Request::new(sid.sid(), &keys, &SystemRandomness)?;
        let (a, d) = request.for_platform();
        let signature = Hex(neighbour.phone.sign(&messages::request(&sid.sid(), &[a, d])).to_bytes());
        let asked = CredentialRequest { a: Hex::try_from(a)?, d: Hex::try_from(d)?, signature };
        let actor = people::load_resident(&application.store, neighbour.resident).await?;
        let actor = Actor::Resident(actor.ok_or_else(Refusal::not_found)?);
        let platform = service::issue(&application.store, &application.sealer, &actor, sid, asked).await?;
        let b = request.for_cosigner();
        let cosigner = CosignRequest {
            sid: sid.sid(),
            device: Hex(neighbour.phone.verifying_key().to_bytes()),
            b: Hex::try_from(b)?,
            signature: Hex(neighbour.phone.sign(&messages::request(&sid.sid(), &[b])).to_bytes()),
        };
        let cosigned = self.authority.cosign(&cosigner, AskedBy::Program).await?;
        let credential =
            request.finish(&keys, platform.sa.as_slice(), cosigned.sb.as_slice(), platform.sd.as_slice())?;
        let answers = (number..).zip(&manifest.questions).map(|(turn, question)| {
            let most = u8::try_from(question.options.len()).unwrap_or(u8::MAX);
            (question.key.clone(), ANSWERS[turn % ANSWERS.len()].min(most))
        });
        let ballot = credential.ballot(Answers(answers.collect())).to_bytes();
        let recipient = manifest.box_recipient.parse().map_err(|_| anyhow::anyhow!("the box has no key"))?;
        let outer = credential.outer(&ballot, 0, recipient, &SystemRandomness)?;
        let thrown = Box::pin(service::throw_in(&application.store, sid, &outer.to_bytes())).await?;
        anyhow::ensure!(thrown == Thrown::In, "an envelope of the demo is not in the box: {thrown:?}");
        Ok(())
    }

    async fn go_on(&self, sid: BallotBoxId) -> anyhow::Result<()> {
        advance(self.application, sid).await?;
        results::publish_finished(&self.application.store, self.county).await?;
        Ok(())
    }
}

/// Enrols a phone with its card, and tells nobody but the co-signer.
async fn enrol(application: &Application, authority: &Authority, code: &Code) -> anyhow::Result<SigningKey> {
    let phone = SigningKey::from_bytes(&application.store.randomness().bytes::<32>());
    let device = Hex(phone.verifying_key().to_bytes());
    let signature = Hex(phone.sign(&messages::enrolment(&code.hash(), &device)).to_bytes());
    let enrolment = Enrolment { code: code.to_print().to_string(), device, signature };
    authority.enrol(&enrolment, IpAddr::from([127, 0, 0, 1])).await?;
    Ok(phone)
}

async fn is_ordinary(application: &Application, resident: ResidentId) -> anyhow::Result<bool> {
    let person = people::entity::residents::Entity::find_by_id(resident).one(application.store.reader()).await?;
    Ok(person.is_some_and(|person| person.roster_group == RosterGroup::Resident))
}
