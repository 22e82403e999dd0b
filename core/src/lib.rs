//! What Qingfeng knows: the rules of the loop from complaint to look-back, and how its facts are kept.

pub mod acknowledgements;
pub mod audit;
pub mod cache;
pub mod calendar;
pub mod campaigns;
pub mod clock;
pub mod complaints;
pub mod deadlines;
pub mod evidence;
pub mod files;
pub mod groups;
pub mod ids;
pub mod numbers;
pub mod objections;
pub mod outbox;
pub mod people;
pub mod problems;
pub mod publication;
pub mod randomness;
pub mod rectification;
pub mod refusal;
pub mod sealed_surveys;
pub mod sealing;
pub mod storage;
pub mod subject;
pub mod surveys;
