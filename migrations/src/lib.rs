//! The schema, step by step. Migrations only go forward: expand, move, contract. Each runs on SQLite and PostgreSQL.

pub mod columns;
mod m20261124_000001_people;
mod m20261124_000002_ledgers;
mod m20261124_000003_calendar;
mod m20261124_000004_complaints;
mod m20261124_000005_files;
mod m20261124_000006_schedule;
mod m20261124_000007_rectification;
mod m20261124_000020_campaigns;
mod m20261124_000030_surveys;
mod m20261124_000040_message_consents;
mod m20261124_000041_silence;
mod m20261124_000042_schedule_failures;
mod m20261125_000050_sealed_surveys;
mod m20261125_000060_sealed_survey_results;
mod m20261125_000070_townships;
mod m20261126_000080_departures;
mod m20261126_000081_prepared_posts;
mod m20261126_000082_answers;
mod m20261126_000090_unread_indexes;
mod m20261126_000091_phase;
mod m20261126_000092_post_reviews;
mod m20261126_000093_wecom_names;
mod m20261126_000094_chat_media;
mod m20261126_000095_campaign_schedule;
mod m20261126_000096_message_templates;
mod m20261126_000097_group_tasks;
mod m20261126_000098_alarms;
mod m20261126_000099_platform_references;
mod m20261126_000100_sealed_reports;
mod m20261126_000110_account_links;
mod m20261126_000112_priorities;
mod m20261126_000113_retracted_posts;
mod m20261126_000114_invitations_in_browsers;
mod m20261126_000115_retractions;
mod m20261126_000116_cards;
mod m20261126_000117_plain_tallies;
mod m20261126_000118_alarm_names;

pub use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_people::Migration),
            Box::new(m20261124_000002_ledgers::Migration),
            Box::new(m20261124_000003_calendar::Migration),
            Box::new(m20261124_000004_complaints::Migration),
            Box::new(m20261124_000005_files::Migration),
            Box::new(m20261124_000006_schedule::Migration),
            Box::new(m20261124_000007_rectification::Migration),
            Box::new(m20261124_000020_campaigns::Migration),
            Box::new(m20261124_000030_surveys::Migration),
            Box::new(m20261124_000040_message_consents::Migration),
            Box::new(m20261124_000041_silence::Migration),
            Box::new(m20261124_000042_schedule_failures::Migration),
            Box::new(m20261125_000050_sealed_surveys::Migration),
            Box::new(m20261125_000060_sealed_survey_results::Migration),
            Box::new(m20261125_000070_townships::Migration),
            Box::new(m20261126_000080_departures::Migration),
            Box::new(m20261126_000081_prepared_posts::Migration),
            Box::new(m20261126_000082_answers::Migration),
            Box::new(m20261126_000090_unread_indexes::Migration),
            Box::new(m20261126_000091_phase::Migration),
            Box::new(m20261126_000092_post_reviews::Migration),
            Box::new(m20261126_000093_wecom_names::Migration),
            Box::new(m20261126_000094_chat_media::Migration),
            Box::new(m20261126_000095_campaign_schedule::Migration),
            Box::new(m20261126_000096_message_templates::Migration),
            Box::new(m20261126_000097_group_tasks::Migration),
            Box::new(m20261126_000098_alarms::Migration),
            Box::new(m20261126_000099_platform_references::Migration),
            Box::new(m20261126_000100_sealed_reports::Migration),
            Box::new(m20261126_000110_account_links::Migration),
            Box::new(m20261126_000112_priorities::Migration),
            Box::new(m20261126_000113_retracted_posts::Migration),
            Box::new(m20261126_000114_invitations_in_browsers::Migration),
            Box::new(m20261126_000115_retractions::Migration),
            Box::new(m20261126_000116_cards::Migration),
            Box::new(m20261126_000117_plain_tallies::Migration),
            Box::new(m20261126_000118_alarm_names::Migration),
        ]
    }
}
