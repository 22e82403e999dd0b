use qingfeng_ballots::{
    Hex,
    log::{Checkpoint, CheckpointError, Fingerprint, Note, Pinned, PinnedError, Signer, Tree, checkpoint_text},
};
use rstest::rstest;

use crate::survey::{pinned_keys, signer_of};

const ORIGIN: &str = "ballots.example/donghe";

fn checkpoint() -> Checkpoint {
    let mut tree = Tree::default();
    tree.append(b"leaf");
    Checkpoint { size: 1, root: tree.root(1).unwrap() }
}

fn note(names: &[&str]) -> Note {
    let signers: Vec<_> = names.iter().map(|name| signer_of(name)).collect();
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let mut note = Note::new(&checkpoint_text(ORIGIN, &checkpoint()).unwrap(), &[]).unwrap();
    note.add_sigs(&signers).unwrap();
    note
}

#[rstest]
#[case::all(&["platform", "cosigner", "committee", "county"], Ok(checkpoint()))]
#[case::one_witness(&["county", "cosigner", "platform"], Ok(checkpoint()))]
#[case::with_a_stranger(&["stranger", "platform", "cosigner", "committee"], Ok(checkpoint()))]
#[case::no_witness(&["platform", "cosigner"], Err(CheckpointError::NoQuorum))]
#[case::witnesses_only(&["committee", "county"], Err(CheckpointError::NoQuorum))]
#[case::no_cosigner(&["platform", "committee", "county"], Err(CheckpointError::NoQuorum))]
#[case::no_platform(&["cosigner", "committee", "county"], Err(CheckpointError::NoQuorum))]
#[case::strangers(&["stranger"], Err(CheckpointError::NoQuorum))]
fn one_signature_is_not_enough(#[case] signed: &[&str], #[case] read: Result<Checkpoint, CheckpointError>) {
    let pinned = Pinned::parse(&pinned_keys()).unwrap();
    assert_eq!(pinned.read(&note(signed).to_bytes(), ORIGIN), read);
}

#[test]
fn seventeen_signatures_are_as_good_as_three() {
    let strangers: Vec<_> = (0..14).map(|number| format!("stranger{number}")).collect();
    let mut names = vec!["platform", "cosigner", "county"];
    names.extend(strangers.iter().map(String::as_str));
    assert_eq!(Pinned::parse(&pinned_keys()).unwrap().read(&note(&names).to_bytes(), ORIGIN), Ok(checkpoint()));
}

#[test]
fn a_known_signers_bad_signature_spoils_the_note() {
    let text = String::from_utf8(note(&["platform", "cosigner", "county"]).to_bytes()).unwrap();
    let pinned = Pinned::parse(&pinned_keys()).unwrap();
    let grown = text.replacen("\n1\n", "\n2\n", 1);
    assert_eq!(pinned.read(grown.as_bytes(), ORIGIN), Err(CheckpointError::BadSignature));
    assert_eq!(pinned.read(text.as_bytes(), "ballots.example/xihe"), Err(CheckpointError::ForeignOrigin));
    assert_eq!(pinned.read(&text.as_bytes()[..text.len() - 1], ORIGIN), Err(CheckpointError::Malformed));
    assert_eq!(pinned.read(b"", ORIGIN), Err(CheckpointError::Malformed));
}

#[test]
fn nobody_fills_two_roles() {
    let keys = pinned_keys();
    let platform = keys.lines().next().unwrap().strip_prefix("platform ").unwrap();
    assert_eq!(Pinned::parse(&format!("{keys}witness {platform}\n")).unwrap_err(), PinnedError::Repeated);
    assert_eq!(Pinned::parse(&keys.replacen("platform", "witness", 1)).unwrap_err(), PinnedError::Incomplete);
    assert_eq!(Pinned::parse("platform nonsense").unwrap_err(), PinnedError::Line(1));
    assert_eq!(Pinned::parse("").unwrap_err(), PinnedError::Incomplete);
}

#[test]
fn a_fingerprint_is_read_back_from_the_post_in_the_group() {
    let fingerprint = Checkpoint { size: 128, root: Hex([0x39; 32]) }.fingerprint();
    assert_eq!(fingerprint.sentence(), "票箱指纹 74WK-JE9S-74WK/128");
    assert_eq!(Fingerprint::parse(&fingerprint.sentence()), Some(fingerprint.clone()));
    assert_eq!(Fingerprint::parse(" 74WKJE9S74WK/128\n"), Some(fingerprint));
    for bad in ["", "票箱指纹", "74WK-JE9S-74W/128", "74WK-JE9S-74WU/128", "74WK-JE9S-74WK/x", "汉字汉字/1"] {
        assert_eq!(Fingerprint::parse(bad), None, "{bad}");
    }
}
