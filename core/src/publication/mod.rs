//! What the public sees (7.1): items in progress, promises, deadlines and their changes, before and after, how people
//! judge. No resident's name, no complaint's words, no report, ever.

mod board;
mod figures;
mod lint;
mod masked;
mod parked;
mod public_item;
mod public_text;
mod resident_names;
mod townships;

pub use board::{BoardItem, DeadlineLine, VillageBoard, VillageLine, items_in_progress, township_board, village_board};
pub use figures::{MonthlyFigures, Rates, monthly_figures};
pub use lint::{Finding, FindingKind, lint};
pub use masked::{Masked, Name};
pub use parked::{ParkedMatter, parked_matters};
pub use public_item::{PublicItem, item_by_number};
pub use public_text::{PrivateDetail, PublicText, private_details};
pub use resident_names::{NoNames, check_names, check_residents, names_said};
pub use townships::{TOWNSHIPS_PAGE, TownshipLine, townships};
