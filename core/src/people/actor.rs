use super::{OrganizationKind, Role};
use crate::ids::{ComplaintId, CountyId, OrganizationId, PostId, ResidentId, StaffId};

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody we know: may read what is public.
    Visitor,
    Resident(Resident),
    Staff(Staff),
    /// Whoever holds a paper receipt: may follow and rate that one complaint.
    Receipt {
        county: CountyId,
        complaint: ComplaintId,
    },
    /// The product itself: scheduled jobs, the bot.
    System {
        county: CountyId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    pub id: ResidentId,
    pub county: CountyId,
    pub township: OrganizationId,
    pub village: OrganizationId,
    /// Set when the same person also holds office: a handler never rates his own work through his own phone.
    pub also_staff: Option<StaffId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    pub id: StaffId,
    pub county: CountyId,
    /// The posts held today.
    pub posts: Vec<HeldPost>,
    /// Persons and units whose matters this person has to keep out of (kin, interests).
    pub recused_from_staff: Vec<StaffId>,
    pub recused_from_organizations: Vec<OrganizationId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPost {
    pub id: PostId,
    pub role: Role,
    pub organization: OrganizationId,
    pub organization_kind: OrganizationKind,
    /// The township above (or the township itself); none for a county's post.
    pub township: Option<OrganizationId>,
}

impl Actor {
    /// The county whose data this actor may touch; none for visitors.
    #[must_use]
    pub fn county(&self) -> Option<CountyId> {
        match self {
            Self::Visitor => None,
            Self::Resident(resident) => Some(resident.county),
            Self::Staff(staff) => Some(staff.county),
            Self::Receipt { county, .. } | Self::System { county } => Some(*county),
        }
    }

    #[must_use]
    pub fn staff(&self) -> Option<&Staff> {
        match self {
            Self::Staff(staff) => Some(staff),
            _ => None,
        }
    }

    #[must_use]
    pub fn resident(&self) -> Option<&Resident> {
        match self {
            Self::Resident(resident) => Some(resident),
            _ => None,
        }
    }
}

impl Staff {
    #[must_use]
    pub fn holds(&self, role: Role) -> bool {
        self.posts.iter().any(|post| post.role == role)
    }
}
