//! The demo's campaign: plan A in the year it is seeded, its duties of the last weeks mostly done, some late.

use chrono::{Days, TimeDelta};
use qingfeng_core::{
    campaigns::{
        self, HandedIn, HandedInItem, SHIPPED_PLANS,
        entity::duties,
        plan::{Evidence, EvidenceKind},
        queries,
    },
    clock::shanghai_instant,
    deadlines::{DeadlineStatus, entity::deadlines},
    evidence::{self, Darkroom},
    ids::{CampaignId, DutyId},
    people::{self, Actor},
    refusal::{Fault, Refusal},
    storage::Command,
    subject::SubjectKind,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::history::{BEGAN_DAYS_AGO, Story};

/// A notice board, drawn; nobody is on it.
const PHOTO: &[u8] = include_bytes!("notice-board.png");

/// Of so many duties one is left late, so that there is something to chase.
const ONE_LATE_IN: usize = 5;

/// Nothing is late for longer: the ladder has not yet come to its end.
const LATE_SINCE: Days = Days::new(20);

impl Story<'_> {
    pub(super) async fn campaign(&self) -> Result<CampaignId, Fault> {
        use chrono::Datelike as _;
        self.on(BEGAN_DAYS_AGO);
        let source = SHIPPED_PLANS[0].text;
        let plan = campaigns::read(source)
            .map_err(|faults| Fault::unavailable(format!("the shipped plan is broken: {}", faults[0])))?
            .moved_to_year(self.today.year());
        let office = Command::by(&self.staff("office").await?);
        let township = self.township.id;
        let loaded =
            campaigns::load_plan(&self.store, &self.calendar, &office, township, plan, source.to_owned()).await?;
        Ok(loaded.value.campaign)
    }

    /// The weeks go by: duties come near, people hand in, a few do not.
    pub(super) async fn duties(&self, darkroom: &Darkroom) -> Result<(), Fault> {
        for days_ago in [BEGAN_DAYS_AGO, 40, 20, 0] {
            self.on(days_ago);
            campaigns::open_coming_duties(&self.store, &self.calendar, self.township.county).await?;
        }
        let due = deadlines::Entity::find()
            .filter(deadlines::Column::CountyId.eq(self.township.county))
            .filter(deadlines::Column::SubjectKind.eq(SubjectKind::Duty))
            .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
            .filter(deadlines::Column::DueOn.lte(self.today))
            .order_by_asc(deadlines::Column::DueOn)
            .order_by_asc(deadlines::Column::Id)
            .all(self.store.reader())
            .await?;
        for (number, deadline) in due.into_iter().enumerate() {
            let Some(due_on) = deadline.due_on else { continue };
            if number % ONE_LATE_IN == 0 && due_on + LATE_SINCE >= self.today {
                continue;
            }
            // On the day or up to two days ahead; now and then a day late.
            let done_on = due_on + Days::new(u64::from(number % 7 == 6)) - Days::new(number as u64 % 3);
            let done_at = shanghai_instant(done_on.min(self.today), chrono::NaiveTime::MIN) + TimeDelta::hours(16);
            self.clock.set(done_at.min(self.now));
            self.hand_in(darkroom, DutyId(deadline.subject_id), number).await?;
        }
        Ok(())
    }

    async fn hand_in(&self, darkroom: &Darkroom, id: DutyId, number: usize) -> Result<(), Fault> {
        let duty = duties::Entity::find_by_id(id).one(self.store.reader()).await?.ok_or_else(Refusal::not_found)?;
        let actor = match duty.staff_id {
            Some(staff) => {
                let today = qingfeng_core::clock::shanghai_date(self.store.clock().now());
                let person = people::load_staff(&self.store, staff, today).await?;
                Actor::Staff(person.ok_or_else(Refusal::not_found)?)
            }
            // Nobody holds the office: the township's answers.
            None => self.staff("office").await?,
        };
        let asked_for = queries::asked_for(self.store.reader(), &duty).await?.map(|duty| duty.evidence);
        let mut items = Vec::new();
        for evidence in asked_for.unwrap_or_default() {
            items.push(self.evidence(darkroom, &actor, evidence, number).await?);
        }
        let (command, county) = (Command::by(&actor), self.township.county);
        campaigns::complete_duty(&self.store, &command, county, id, HandedIn { items }).await?;
        Ok(())
    }

    async fn evidence(
        &self,
        darkroom: &Darkroom,
        actor: &Actor,
        asked_for: Evidence,
        number: usize,
    ) -> Result<HandedInItem, Fault> {
        let mut item = HandedInItem { label: asked_for.label, text: None, figure: None, files: Vec::new() };
        match asked_for.kind {
            EvidenceKind::Text => {
                item.text = Some("本期按计划完成，群众提出的事项已登记交办，下期接着跟。".into());
            }
            EvidenceKind::Figure => item.figure = u32::try_from(8 + number % 9).ok(),
            EvidenceKind::Photo | EvidenceKind::File => {
                let photo = evidence::upload(&self.store, darkroom, actor, PHOTO.to_vec()).await?;
                item.files.push(photo.id);
            }
        }
        Ok(item)
    }
}
