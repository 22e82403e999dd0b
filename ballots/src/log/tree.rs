use tlog_tiles::tlog::{
    Error, HashReader, check_record, check_tree, prove_record, prove_tree, record_hash, stored_hashes_for_record_hash,
    tree_hash,
};

use crate::Hex;

/// A Merkle tree (RFC 6962) that grows at its end.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    nodes: Vec<tlog_tiles::tlog::Hash>,
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::tlog::Hash>, Error> {
        let node = |index: &u64| usize::try_from(*index).ok().and_then(|index| self.nodes.get(index)).copied();
        indexes.iter().map(|index| node(index).ok_or(Error::InvalidInput("beyond the tree".into()))).collect()
    }
}

impl Tree {
    /// Appends a leaf.
    ///
    /// # Panics
    /// Never: the nodes of a tree that was only appended to are complete.
    pub fn append(&mut self, leaf: &[u8]) {
        let nodes =
            stored_hashes_for_record_hash(self.size, record_hash(leaf), self).expect("all earlier nodes are kept");
        self.nodes.extend(nodes);
        self.size += 1;
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the first `size` leaves.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Hex<32>> {
        if size > self.size {
            return None;
        }
        tree_hash(size, self).ok().map(|hash| Hex(hash.0))
    }

    /// Proof that leaf `index` is among the first `size`.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hex<32>>> {
        if index >= size || size > self.size {
            return None;
        }
        prove_record(size, index, self).ok().map(|proof| proof.into_iter().map(|hash| Hex(hash.0)).collect())
    }

    /// Proof that the first `old` leaves are a prefix of the first `new`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hex<32>>> {
        if old == 0 || old > new || new > self.size {
            return None;
        }
        prove_tree(new, old, self).ok().map(|proof| proof.into_iter().map(|hash| Hex(hash.0)).collect())
    }
}

/// Whether the proof shows that this leaf stands at `index` of the tree with this root.
#[must_use]
pub fn is_included(leaf: &[u8], index: u64, size: u64, root: &Hex<32>, proof: &[Hex<32>]) -> bool {
    index < size && check_record(&hashes(proof), size, hash(root), index, record_hash(leaf)).is_ok()
}

/// Whether the proof shows that the older tree is a prefix of the newer.
#[must_use]
pub fn is_consistent(old: (u64, &Hex<32>), new: (u64, &Hex<32>), proof: &[Hex<32>]) -> bool {
    (1..=new.0).contains(&old.0) && check_tree(&hashes(proof), new.0, hash(new.1), old.0, hash(old.1)).is_ok()
}

fn hash(bytes: &Hex<32>) -> tlog_tiles::tlog::Hash {
    tlog_tiles::tlog::Hash(bytes.0)
}

fn hashes(proof: &[Hex<32>]) -> Vec<tlog_tiles::tlog::Hash> {
    proof.iter().map(hash).collect()
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    fn tree(size: u32) -> Tree {
        let mut tree = Tree::default();
        for number in 0..size {
            tree.append(&number.to_be_bytes());
        }
        tree
    }

    #[test]
    fn roots_agree_with_an_independent_implementation_for_three_hundred_sizes() {
        let (mut ours, mut theirs) = (Tree::default(), MemoryBackedTree::<rsa::sha2::Sha256, Vec<u8>>::new());
        for number in 0..300u32 {
            assert_eq!(
                ours.root(ours.size()).unwrap().as_slice(),
                theirs.root().as_bytes().as_slice(),
                "size {number}"
            );
            ours.append(&number.to_be_bytes());
            theirs.push(number.to_be_bytes().to_vec());
        }
    }

    #[test]
    fn the_empty_tree_and_the_leaf_have_the_roots_of_the_rfc() {
        use crate::canonical::sha256;
        assert_eq!(Tree::default().root(0), Some(sha256(&[])));
        assert_eq!(tree(1).root(1), Some(sha256(&[&[0], &0u32.to_be_bytes()])));
        assert_eq!(tree(1).root(2), None);
    }

    proptest! {
        #[test]
        fn proofs_hold_for_their_leaf_and_no_other(size in 1..70u32, index in 0..70u32, other in 0..70u32) {
            let tree = tree(size);
            let (size, root) = (u64::from(size), tree.root(size.into()).unwrap());
            let proof = tree.inclusion(index.into(), size);
            prop_assert_eq!(proof.is_some(), u64::from(index) < size);
            if let Some(proof) = proof {
                prop_assert!(is_included(&index.to_be_bytes(), index.into(), size, &root, &proof));
                prop_assert_eq!(is_included(&other.to_be_bytes(), index.into(), size, &root, &proof), other == index);
                prop_assert!(!is_included(&index.to_be_bytes(), u64::from(index) + size, size, &root, &proof));
            }
        }

        #[test]
        fn a_longer_tree_contains_a_shorter_one_and_no_altered_one(old in 1..70u64, more in 0..70u64, flip in 0..32usize) {
            let tree = tree(u32::try_from(old + more).unwrap());
            let proof = tree.consistency(old, old + more).unwrap();
            let (before, after) = (tree.root(old).unwrap(), tree.root(old + more).unwrap());
            prop_assert!(is_consistent((old, &before), (old + more, &after), &proof));
            let mut altered = before;
            altered.0[flip] ^= 1;
            prop_assert!(!is_consistent((old, &altered), (old + more, &after), &proof));
        }

        #[test]
        fn hostile_proofs_are_refused_and_never_panic(proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70), index: u64, size: u64) {
            let proof: Vec<_> = proof.into_iter().map(Hex).collect();
            let root = Hex([7; 32]);
            prop_assert!(!is_included(b"leaf", index, size, &root, &proof));
            let _ = is_consistent((index, &root), (size, &Hex([8; 32])), &proof);
        }
    }
}
