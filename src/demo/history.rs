//! What happened in the demo township in the last weeks: complaints and rectification items in every state, made by the
//! same functions that people's clicks call, on a clock that runs through those weeks.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use qingfeng_core::{
    calendar::Calendar,
    clock::{SimulatedClock, shanghai_date, shanghai_instant},
    complaints::{
        CallBackResult, Category, ComplaintKind, Opinion, SatisfactionLevel,
        service::{self as complaints, CallBack, Destination, NewAnswer, NewComplaint, NewRating, Rater},
    },
    evidence::Darkroom,
    ids::{CampaignId, ComplaintId, RectificationId, ResidentId},
    people::{self, Actor, concerns::Concerns},
    problems::{self, NewProblem, Way},
    rectification::{
        Pace,
        service::{self as rectifications, Commitment, NewEvaluation, NewRectification, Progress},
    },
    refusal::{Fault, Refusal},
    storage::{Command, DatabaseSettings, Store, Surroundings},
};

use super::people::DemoTownship;
use crate::Application;

/// The story begins so many days ago.
pub(super) const BEGAN_DAYS_AGO: u64 = 60;

const COMPLAINTS: [(&str, Category); 12] = [
    ("村口三盏路灯坏了两个月，晚上看不见路。", Category::Electricity),
    ("自来水一到中午就停，老人做饭没有水。", Category::Water),
    ("通组路塌了一段，下雨天车过不去。", Category::Road),
    ("垃圾池满了没人清，味道很大。", Category::Environment),
    ("低保申请交上去一个月没有回音。", Category::Benefits),
    ("村里去年修渠的钱怎么用的，公示栏上没有。", Category::VillageAffairs),
    ("办证跑了三趟，每次说少一样材料。", Category::Service),
    ("屋后的排水沟堵了，雨水倒灌。", Category::Environment),
    ("危房改造登记以后没有人来看过。", Category::Housing),
    ("地界重新丈量以后跟证上对不上。", Category::Land),
    ("卫生室周末没有人，老人拿不到药。", Category::Service),
    ("广场的健身器材松了，怕伤到孩子。", Category::Other),
];

/// How far each complaint of the story got.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Registered,
    Classified,
    Dispatched,
    Working,
    Answered,
    Reopened,
    Rated,
    Closed,
}

pub(super) struct Story<'a> {
    pub(super) store: Store,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) calendar: Calendar,
    pub(super) township: &'a DemoTownship,
    /// When it is told: nothing in it happens later.
    pub(super) now: DateTime<Utc>,
    pub(super) today: NaiveDate,
}

pub(super) async fn seed(application: &Application, township: &DemoTownship) -> anyhow::Result<()> {
    let now = application.store.clock().now();
    let today = shanghai_date(now);
    let clock = Arc::new(SimulatedClock::at_shanghai(today - Days::new(BEGAN_DAYS_AGO), 9));
    let surroundings =
        Surroundings { clock: clock.clone(), randomness: Arc::clone(&application.store.surroundings().randomness) };
    let settings = DatabaseSettings { url: application.config.database.url.clone(), connections: 2 };
    let store = Store::connect(&settings, surroundings).await?;
    let story = Story { store, clock, calendar: Calendar::shipped(), township, now, today };
    story.tell(&application.darkroom).await?;
    Ok(super::withdraw_messages(&story.store).await?)
}

impl Story<'_> {
    async fn tell(&self, darkroom: &Darkroom) -> Result<(), Fault> {
        let campaign = self.campaign().await?;
        let states = [
            Reached::Closed,
            Reached::Rated,
            Reached::Reopened,
            Reached::Answered,
            Reached::Working,
            Reached::Dispatched,
            Reached::Classified,
            Reached::Registered,
        ];
        for village in 0..self.township.villages.len() {
            for round in 0..4_usize {
                let number = village * 4 + round;
                let days_ago = BEGAN_DAYS_AGO - (number as u64 * 7) % (BEGAN_DAYS_AGO - 20);
                self.complaint(village, number, days_ago, states[(village * 3 + round) % states.len()]).await?;
            }
            self.rectification(village, campaign).await?;
        }
        self.endings().await?;
        self.duties(darkroom).await
    }

    pub(super) fn on(&self, days_ago: u64) {
        let date = self.today - Days::new(days_ago);
        self.clock.set(shanghai_instant(date, NaiveTime::from_hms_opt(9, 30, 0).unwrap_or_default()));
    }

    fn next_day(&self) {
        self.clock.advance(TimeDelta::days(1));
    }

    pub(super) async fn staff(&self, login: &str) -> Result<Actor, Fault> {
        let today = shanghai_date(self.store.clock().now());
        let person = people::load_staff(&self.store, self.township.staff(login), today).await?;
        Ok(Actor::Staff(person.ok_or_else(Refusal::not_found)?))
    }

    pub(super) async fn resident(&self, id: ResidentId) -> Result<Actor, Fault> {
        Ok(Actor::Resident(people::load_resident(&self.store, id).await?.ok_or_else(Refusal::not_found)?))
    }

    pub(super) async fn secretary_of(&self, village: usize) -> Result<Command, Fault> {
        Ok(Command::by(&self.staff(&format!("secretary-{:02}", village + 1)).await?))
    }

    pub(super) async fn submit(
        &self,
        resident: &Actor,
        words: &str,
        place: &str,
        category: Category,
    ) -> Result<ComplaintId, Fault> {
        let new = NewComplaint {
            title: None,
            body: words.to_owned(),
            place: place.to_owned(),
            category,
            photos: Vec::new(),
            concerns: Concerns::default(),
            is_accusation: false,
        };
        Ok(complaints::submit(&self.store, &self.calendar, &Command::by(resident), new).await?.value.id)
    }

    async fn dispatched(&self, village: usize, id: ComplaintId) -> Result<(), Fault> {
        let office = Command::by(&self.staff("office").await?);
        let to = Destination {
            unit: self.township.villages[village],
            handler: None,
            joint_units: Vec::new(),
            instruction: "请三天内联系反映人".into(),
        };
        complaints::dispatch(&self.store, &office, self.township.county, id, to).await?;
        Ok(())
    }

    /// Dispatched to the village and taken on by its secretary.
    pub(super) async fn given_to(&self, village: usize, id: ComplaintId) -> Result<(), Fault> {
        self.dispatched(village, id).await?;
        let secretary = self.secretary_of(village).await?;
        complaints::accept(&self.store, &self.calendar, &secretary, self.township.county, id).await?;
        Ok(())
    }

    /// From the office's desk to the secretary's work.
    pub(super) async fn worked_on(
        &self,
        village: usize,
        id: ComplaintId,
        kind: ComplaintKind,
        category: Category,
    ) -> Result<(), Fault> {
        let office = Command::by(&self.staff("office").await?);
        complaints::classify(&self.store, &office, self.township.county, id, kind, category).await?;
        self.next_day();
        self.given_to(village, id).await
    }

    pub(super) fn usual_answer() -> NewAnswer {
        NewAnswer {
            opinion: Opinion::Supported,
            facts: "已到现场查看，情况属实，安排人员处理完毕。".into(),
            basis: "《村民自治章程》及镇便民服务规定".into(),
            photos: Vec::new(),
        }
    }

    async fn complaint(&self, village: usize, number: usize, days_ago: u64, until: Reached) -> Result<(), Fault> {
        let (county, store, calendar) = (self.township.county, &self.store, &self.calendar);
        let (words, category) = COMPLAINTS[number % COMPLAINTS.len()];
        // People with a phone, so that a newcomer can take their seat.
        let resident = self.resident(self.township.residents[village][number % 5]).await?;
        let office = Command::by(&self.staff("office").await?);
        let secretary = self.secretary_of(village).await?;
        self.on(days_ago);
        let id = self.submit(&resident, words, &format!("{}组", number % 6 + 1), category).await?;
        if until == Reached::Registered {
            return Ok(());
        }
        let kind = if category == Category::Benefits { ComplaintKind::FastService } else { ComplaintKind::Grievance };
        complaints::classify(store, &office, county, id, kind, category).await?;
        if until == Reached::Classified {
            return Ok(());
        }
        self.next_day();
        self.dispatched(village, id).await?;
        if until == Reached::Dispatched {
            return Ok(());
        }
        self.next_day();
        complaints::accept(store, calendar, &secretary, county, id).await?;
        if until == Reached::Working {
            return Ok(());
        }
        self.clock.advance(TimeDelta::days(5));
        complaints::answer(store, &secretary, county, id, Self::usual_answer()).await?;
        if until == Reached::Answered {
            return Ok(());
        }
        self.next_day();
        let bad = until == Reached::Reopened || number.is_multiple_of(5);
        let level = if bad { SatisfactionLevel::Dissatisfied } else { SatisfactionLevel::Satisfied };
        let rating = |level| NewRating { level, comment: bad.then(|| "只来看了一眼，没有修好".to_owned()) };
        complaints::rate(store, calendar, Rater::of(&resident), None, id, rating(level)).await?;
        if until == Reached::Reopened {
            return Ok(());
        }
        if bad {
            let call = CallBack {
                result: CallBackResult::Reached, notes: "电话核实，确实没有修好，重新安排".into()
            };
            complaints::call_back(store, calendar, &office, county, id, call).await?;
            self.given_to(village, id).await?;
            self.clock.advance(TimeDelta::days(3));
            complaints::answer(store, &secretary, county, id, Self::usual_answer()).await?;
            let content = NewRating { level: SatisfactionLevel::BasicallySatisfied, comment: None };
            complaints::rate(store, calendar, Rater::of(&resident), None, id, content).await?;
        }
        if until == Reached::Closed {
            self.next_day();
            complaints::close(store, &office, county, id).await?;
        }
        Ok(())
    }

    async fn rectification(&self, village: usize, campaign: CampaignId) -> Result<(), Fault> {
        const STORIES: [(&str, &str, [&str; 2]); 4] = [
            ("村口路灯整改", "村口和主路夜里都看得见路", ["更换损坏路灯", "每月巡查一次并公示"]),
            ("通组路修复", "塌方路段恢复通车", ["清理塌方", "浇筑路面并设排水沟"]),
            ("村务公开补课", "去年以来的每笔集体开支都能查到", ["补贴公示栏", "每季度首月十五日前公示"]),
            ("垃圾清运整改", "垃圾日产日清", ["增加清运班次", "设监督电话"]),
        ];
        let (county, store) = (self.township.county, &self.store);
        let (title, goal, measures) = STORIES[village % STORIES.len()];
        let office = Command::by(&self.staff("office").await?);
        let secretary = Command::by(&self.staff(&format!("secretary-{:02}", village + 1)).await?);
        self.on(45);
        let problem = NewProblem {
            village: self.township.villages[village],
            campaign: Some(campaign),
            way: Way::Residents,
            category: "cold_faced".into(),
            title: Some(title.to_owned()),
            words: "村民会上好几位群众提到，反映过没有下文。".into(),
            concerns: Concerns::default(),
            complaints: Vec::new(),
        };
        let problem = problems::record(store, &office, problem).await?.value;
        let judges = self.township.residents[village][..10].to_vec();
        let due_on = self.today + Days::new((village as u64 * 3) % 20) - Days::new(6);
        let new = NewRectification {
            village: self.township.villages[village],
            problems: vec![problem],
            title: title.to_owned(),
            goal: goal.to_owned(),
            measures: measures.iter().map(|text| (*text).to_owned()).collect(),
            pace: Pace::Phased,
            due_on,
            lead_unit: self.township.villages[village],
            joint_units: Vec::new(),
            responsible: None,
            leader: None,
            affected: judges.clone(),
            no_names: Vec::new(),
        };
        let id: RectificationId = rectifications::create(store, &office, new).await?.value;
        if village == 11 {
            return Ok(());
        }
        self.next_day();
        let commitment = Commitment {
            text: format!("{}前完成，完不成我负责", due_on.format("%-m月%-d日")),
            before_photos: vec![],
            no_names: Vec::new(),
        };
        rectifications::publish(store, &secretary, county, id, commitment).await?;
        self.on(30);
        let report = |text: &str| Progress {
            text: text.to_owned(),
            before_photos: Vec::new(),
            after_photos: Vec::new(),
            finished_measures: Vec::new(),
            no_names: Vec::new(),
        };
        rectifications::progress(store, &secretary, county, id, report("材料已到，开始施工。")).await?;
        if village < 5 {
            return Ok(());
        }
        self.on(20);
        rectifications::report_done(store, &secretary, county, id, report("已完工，请群众验收。")).await?;
        if village == 5 {
            return Ok(());
        }
        let closes_on = self.today - Days::new(15);
        if village == 6 {
            self.on(2);
            return rectifications::open_evaluation(store, &office, county, id, self.today + Days::new(8))
                .await
                .map(|_| ());
        }
        rectifications::open_evaluation(store, &office, county, id, closes_on).await?;
        for (number, judge) in judges.iter().enumerate() {
            let content = village != 7 || number < 5;
            let level = if content { SatisfactionLevel::Satisfied } else { SatisfactionLevel::Dissatisfied };
            rectifications::evaluate(store, &self.resident(*judge).await?, id, NewEvaluation { level }).await?;
        }
        self.on(13);
        rectifications::read_verdict(store, &self.calendar, &office, county, id).await?;
        if village <= 8 {
            return Ok(());
        }
        rectifications::township_evaluation(store, &self.calendar, &office, county, id, true, "现场核验通过").await?;
        rectifications::close_out(store, &office, county, id).await?;
        Ok(())
    }
}
