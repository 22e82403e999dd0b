use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::{
    Plan,
    plan::{EscalationStep, Reminders},
    queries,
    service::Establishment,
};
use crate::{
    ids::{CountyId, OrganizationId, StaffId},
    refusal::Fault,
};

/// How a township's running campaign reminds and escalates (4.3, 6.1), with the people who hold the offices.
pub struct Ladder {
    plan: Plan,
    establishment: Establishment,
}

impl Ladder {
    /// None while no campaign runs in the township.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(
        connection: &impl ConnectionTrait,
        county: CountyId,
        township: OrganizationId,
        on: NaiveDate,
    ) -> Result<Option<Self>, Fault> {
        let Some(campaign) = queries::in_force(connection, township, on).await? else { return Ok(None) };
        let establishment = Establishment::read(connection, county, township, on).await?;
        Ok(Some(Self { plan: campaign.plan, establishment }))
    }

    #[must_use]
    pub fn reminders(&self) -> &Reminders {
        &self.plan.reminders
    }

    /// The rung that stands after so many days overdue: the highest that has been reached.
    #[must_use]
    pub fn rung(&self, days_overdue: i64) -> Option<&EscalationStep> {
        self.plan.escalation.iter().rev().find(|step| i64::from(step.overdue_days) <= days_overdue)
    }

    /// Whom a rung tells about something late in this unit: of an office of the villages only the one there.
    #[must_use]
    pub fn told(&self, rung: &EscalationStep, late_unit: Option<OrganizationId>) -> Vec<StaffId> {
        let mut told = Vec::new();
        for office in rung.tells.iter().filter_map(|key| self.plan.office(key)) {
            let owners = self.establishment.owners(office);
            let nearby = owners.iter().filter(|owner| owners.len() == 1 || Some(owner.unit) == late_unit);
            told.extend(nearby.filter_map(|owner| owner.staff));
        }
        told.sort();
        told.dedup();
        told
    }
}
