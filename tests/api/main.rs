//! End to end: each test starts the real server on a free port with a database of its own and speaks HTTP.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod absences;
mod alarms;
mod board;
mod cached;
mod callbacks;
mod campaign_schedules;
mod campaigns;
mod card_answers;
mod chat_filing;
mod chat_media;
mod chat_suspicion;
mod complaints;
mod consents;
mod conversations;
mod customer_groups;
mod demo;
mod departures;
#[path = "../../core/tests/contracts/engines.rs"]
#[expect(dead_code, reason = "the contract tests use the rest")]
mod engines;
mod every_endpoint;
mod files;
mod group_posts;
mod groups;
mod health;
mod killed;
mod linking;
mod message_templates;
mod messages;
mod objections;
mod official_account;
mod openapi;
mod own_bot;
mod paper_codes;
mod parking;
mod prepared_posts;
mod problems;
mod program;
mod public_names;
mod ratings;
mod rectifications;
mod reminder_budget;
mod rounds;
mod schedule;
mod sealed_reports;
mod sealed_survey_results;
mod sealed_surveys;
mod sealed_surveys_failures;
mod sealed_surveys_paper;
mod sealed_surveys_planning;
mod sealed_surveys_recusal;
mod sending;
mod sign_in;
mod smart_robot;
mod support;
mod templates;
mod village_group;
mod wecom_sign_in;
