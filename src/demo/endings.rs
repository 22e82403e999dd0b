//! Complaints of the demo that wait or end in another way than by an answer that satisfies.

use chrono::{Days, TimeDelta};
use qingfeng_core::{
    complaints::{
        CallBackResult, Category, ComplaintKind, SatisfactionLevel,
        service::{self as complaints, CallBack, NewRating, Parking, Rater},
    },
    ids::ComplaintId,
    people::Actor,
    refusal::Fault,
    storage::Command,
};

use super::history::Story;

/// The village all of them come from.
const VILLAGE: usize = 1;

impl Story<'_> {
    pub(super) async fn endings(&self) -> Result<(), Fault> {
        self.withdrawn().await?;
        self.refused().await?;
        self.merged().await?;
        self.parked().await?;
        self.parked_unsatisfied().await
    }

    /// A complaint of the village's resident of this number, filed so many days ago.
    async fn said(
        &self,
        resident: usize,
        days_ago: u64,
        words: &str,
        category: Category,
    ) -> Result<(Actor, ComplaintId), Fault> {
        self.on(days_ago);
        let resident = self.resident(self.township.residents[VILLAGE][resident]).await?;
        let id = self.submit(&resident, words, "二组", category).await?;
        Ok((resident, id))
    }

    async fn withdrawn(&self) -> Result<(), Fault> {
        let (resident, id) = self.said(0, 12, "村口的水管好像漏水。", Category::Water).await?;
        complaints::withdraw(&self.store, &Command::by(&resident), self.township.county, id).await?;
        Ok(())
    }

    async fn refused(&self) -> Result<(), Fault> {
        let (_, id) = self.said(1, 11, "对法院的判决不服，请镇里改判。", Category::Other).await?;
        let office = Command::by(&self.staff("office").await?);
        let why = "涉法涉诉事项不由镇里受理，请在法定期限内向上一级人民法院上诉。";
        complaints::refuse_acceptance(&self.store, &office, self.township.county, id, why).await?;
        Ok(())
    }

    async fn merged(&self) -> Result<(), Fault> {
        let (_, first) = self.said(2, 10, "小学门口的减速带坏了，学生过马路危险。", Category::Road).await?;
        let (_, again) = self.said(3, 9, "小学门口减速带坏了，过马路很危险。", Category::Road).await?;
        let office = Command::by(&self.staff("office").await?);
        complaints::merge(&self.store, &office, self.township.county, again, first).await?;
        Ok(())
    }

    /// Nobody in the township can do it now.
    async fn parked(&self) -> Result<(), Fault> {
        let (_, id) = self.said(4, 30, "出村的省道路面破损，车颠得厉害。", Category::Road).await?;
        self.worked_on(VILLAGE, id, ComplaintKind::Grievance, Category::Road).await?;
        self.park(id, "省道由省里养护，已经上报，列入明年大修计划").await
    }

    /// Answered twice; the resident was dissatisfied and cannot be reached any more.
    async fn parked_unsatisfied(&self) -> Result<(), Fault> {
        let (resident, id) = self.said(0, 50, "屋后的陡坡要砌挡墙，怕下雨塌下来。", Category::Housing).await?;
        self.worked_on(VILLAGE, id, ComplaintKind::Grievance, Category::Housing).await?;
        let (store, calendar, county) = (&self.store, &self.calendar, self.township.county);
        let office = Command::by(&self.staff("office").await?);
        complaints::answer(store, &self.secretary_of(VILLAGE).await?, county, id, Self::usual_answer()).await?;
        let bad = NewRating { level: SatisfactionLevel::Dissatisfied, comment: Some("只挖了排水沟".into()) };
        complaints::rate(store, calendar, Rater::of(&resident), None, id, bad).await?;
        let call = |result, notes: &str| CallBack { result, notes: notes.to_owned() };
        let reached = call(CallBackResult::Reached, "电话核实，反映人要求砌挡墙");
        complaints::call_back(store, calendar, &office, county, id, reached).await?;
        self.given_to(VILLAGE, id).await?;
        self.clock.advance(TimeDelta::days(3));
        complaints::answer(store, &self.secretary_of(VILLAGE).await?, county, id, Self::usual_answer()).await?;
        self.clock.advance(TimeDelta::days(16));
        let gone = call(CallBackResult::NotReached, "电话三次没有人接，邻居说外出务工");
        complaints::call_back(store, calendar, &office, county, id, gone).await?;
        self.park(id, "挡墙已经排进明年地灾防治项目，等反映人回来再听意见").await
    }

    async fn park(&self, id: ComplaintId, reason: &str) -> Result<(), Fault> {
        let leader = Command::by(&self.staff("leader").await?);
        let parking =
            Parking { reason: reason.to_owned(), review_on: self.today + Days::new(60), no_names: Vec::new() };
        complaints::park(&self.store, &leader, self.township.county, id, &parking).await?;
        Ok(())
    }
}
