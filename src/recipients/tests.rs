use age::x25519;

use super::*;
use crate::fs::TemporaryDirectory;
use crate::report::Hint;

/// Public halves of keys whose private ones were never kept.
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKuSHMxBB2/0iGnUPaOJd99/vkRqia0r/bb5rxD0W5X5";
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDWm9qJ6Z6/Z7gEsRUM4PB4u3YvEx0DmW0Whftfn2tKarAzcdt3tyORJMLOmhxooID4qkyHDS86O6MXqRzZINi3Bvwd8BkZeAxfYydwCtb2sdofFNoGrOSiE3GTDTAYmhcTppnuspEu3pPAPhfNCYXT9X9V9EYHBShrFzWN1Wgt7Q==";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLXFa+nzm5davW6RxqJprGp+YFB7EJdyeNHomEBhc5+3pa1W+zv4ScRooTA3JzGqM3jjhqglERDsJNS2/nj3Lzo=";

fn make_recipient() -> String {
    x25519::Identity::generate().to_public().to_string()
}

#[test]
fn a_file_for_age_works_as_it_stands_comments_and_all() {
    let here = TemporaryDirectory::scratch();
    let (one, other) = (make_recipient(), make_recipient());
    let path = here.write("recipients.txt", &format!("# site lyon\n\n{one}\r\n  {other}  \n"));
    let set = RecipientSet::given(&[], &[path]).unwrap();
    assert_eq!(set.keys_of(set.sites()).count(), 2);
}

#[test]
fn a_private_key_is_refused_by_its_place_and_never_repeated() {
    use age::secrecy::ExposeSecret;
    let identity = x25519::Identity::generate().to_string();
    let error = RecipientSet::given(&[identity.expose_secret().to_owned()], &[]).unwrap_err();
    assert_eq!(error.to_string(), "an argument of --recipient is a private key, not a recipient");
}

#[test]
fn each_directory_below_keys_is_a_site() {
    let here = TemporaryDirectory::scratch();
    for site in ["lyon", "turin"] {
        here.write(&format!("{site}/recipients.txt"), &make_recipient());
    }
    here.write("README.md", "not a site");
    let sites: Vec<String> =
        RecipientSet::of_vault(here.path()).unwrap().texts().keys().map(ToString::to_string).collect();
    assert_eq!(sites, ["lyon", "turin"]);
}

#[test]
fn nobody_is_an_error_and_so_is_a_file_of_comments() {
    assert!(matches!(RecipientSet::given(&[], &[]), Err(RecipientsError::None)));
    let here = TemporaryDirectory::scratch();
    let path = here.write("recipients.txt", "# nobody yet\n");
    assert!(matches!(RecipientSet::given(&[], &[path]), Err(RecipientsError::NoneInFile { .. })));
}

/// The error of a vault with these files below `keys/`, in which `{keys}` is that directory.
fn refused(files: &[(&str, &str)], fact: &str, hint: &str) {
    let here = TemporaryDirectory::scratch();
    for (name, text) in files {
        here.write(name, text);
    }
    let keys = here.path().to_str().unwrap();
    let error = RecipientSet::of_vault(here.path()).unwrap_err();
    assert_eq!(error.to_string().replace(keys, "{keys}"), fact);
    assert!(error.hint().contains(hint), "{}", error.hint());
    let listed = Listing::of_vault(here.path()).map(|listing| listing.texts());
    assert_eq!(listed.unwrap_err().to_string().replace(keys, "{keys}"), fact);
}

#[test]
fn the_same_key_twice_is_refused_whatever_its_comment() {
    let one = make_recipient();
    let text = format!("{one}\n# again\n{one}\n");
    let hint = "leave one of them";
    refused(
        &[("lyon/recipients.txt", &text)],
        "{keys}/lyon/recipients.txt:3 is the recipient of line 1 again",
        hint,
    );
    let text = format!("{ED25519} first\n{ED25519} second\n");
    refused(
        &[("lyon/recipients.txt", &text)],
        "{keys}/lyon/recipients.txt:2 is the recipient of line 1 again",
        hint,
    );
    let here = TemporaryDirectory::scratch();
    let path = here.write("recipients.txt", &format!("{ED25519} first\n"));
    let given = RecipientSet::given(&[ED25519.to_owned()], &[path]).unwrap();
    assert_eq!(given.keys_of(given.sites()).count(), 1, "by name and in a file it is meant once");
}

#[test]
fn a_key_that_age_does_not_take_is_refused_by_its_place_and_kind() {
    let keys = "ssh-ed25519, or ssh-rsa of 2048 to 4096 bits";
    for (text, fact, hint) in [
        (RSA_1024, "is an ssh-rsa key of less than 2048 bits, which age does not take", keys),
        (ECDSA, "is an ssh key of another kind, which age does not take", keys),
        ("age1nonsense", "is not an age recipient", "62 characters"),
        (
            "age1pq1qqqqqqqqqqqqqqqqlj87ja",
            "is a post-quantum recipient, which is not supported",
            "cannot mix",
        ),
        (
            "age1tag1qqqqqqqqqqqqqqqqqnw8dr",
            "is a recipient of tagged hardware, which is not supported",
            "cannot mix",
        ),
        (
            "age1tagpq1qqqqqqqqqqqqqqqqalmdmp",
            "is a post-quantum recipient of tagged hardware, which is not supported",
            "cannot mix",
        ),
    ] {
        let fact = format!("{{keys}}/lyon/recipients.txt:2 {fact}");
        refused(&[("lyon/recipients.txt", &format!("# whose\n{text}\n"))], &fact, hint);
    }
}

#[test]
fn a_plugin_that_is_not_there_is_named_and_a_listing_does_without() {
    let here = TemporaryDirectory::scratch();
    here.write("lyon/recipients.txt", "age1absent1qqqqqqqqqqqqqqqqvf2y8d\n");
    let error = RecipientSet::of_vault(here.path()).unwrap_err();
    assert!(
        error.to_string().ends_with("/lyon/recipients.txt:1 takes `age-plugin-absent`, which is not on PATH"),
        "{error}"
    );
    assert_eq!(error.hint(), "install age-plugin-absent, and look that PATH has it");
    let listing = Listing::of_vault(here.path()).unwrap();
    let lyon = Site::parse("lyon").unwrap();
    assert_eq!(listing.kinds()[&lyon], BTreeMap::from([(String::from("plugin absent"), 1)]));
}

#[test]
fn a_private_key_anywhere_below_keys_is_refused_by_its_path() {
    use age::secrecy::ExposeSecret;
    let identity = x25519::Identity::generate().to_string();
    // EXPOSE: made up
    let identity = identity.expose_secret();
    let pem = format!("-----BEGIN OPENSSH {}-----\n", "PRIVATE KEY");
    let one = make_recipient();
    for (name, text) in
        [("edge2/identity.txt", identity), ("edge2/old/id_ed25519", &pem), ("identity.txt", identity)]
    {
        let files = [("edge2/recipients.txt", one.as_str()), (name, text)];
        refused(&files, &format!("`{{keys}}/{name}` holds a private key"), "git's history");
    }
    refused(
        &[("edge2/recipients.txt", &format!("{one}\n# {identity}\n"))],
        "{keys}/edge2/recipients.txt:2 is a private key, not a recipient",
        "git's history",
    );
}

#[test]
fn what_is_no_site_is_said_and_what_need_not_be_one_is_passed_over() {
    let one = make_recipient();
    refused(&[("lyon/README", "")], "there is no `{keys}/lyon/recipients.txt`", "`age1…` line");
    refused(&[("-x/recipients.txt", &one)], "`{keys}/-x` is not a site's directory", "letters");
    let here = TemporaryDirectory::scratch();
    let files = [
        ("lyon/recipients.txt", one.as_str()),
        ("signers", "ops@example ssh-ed25519 A"),
        ("README.md", "AGE-SECRET-KEY-1…"),
    ];
    for (name, text) in files {
        here.write(name, text);
    }
    assert_eq!(RecipientSet::of_vault(here.path()).unwrap().sites().count(), 1);
}

#[test]
fn a_link_may_lead_to_another_site_and_not_out_of_keys() {
    let here = TemporaryDirectory::scratch();
    let file = here.write("keys/lyon/recipients.txt", &make_recipient());
    here.write("elsewhere/recipients.txt", &make_recipient());
    let keys = here.path().join("keys");
    let outside = |link: &str| {
        let error = RecipientSet::of_vault(&keys).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` leads out of `keys/`", here.path().join(link).display()));
        crate::fs::remove_directory(&here.path().join(link), here.path()).unwrap();
    };
    here.link("keys/turin", file.parent().unwrap()).unwrap();
    assert_eq!(RecipientSet::of_vault(&keys).unwrap().sites().count(), 2);
    here.link("keys/oslo", &here.path().join("elsewhere")).unwrap();
    outside("keys/oslo");
    here.write("keys/oslo/README", "");
    here.link("keys/oslo/recipients.txt", &here.path().join("elsewhere/recipients.txt")).unwrap();
    outside("keys/oslo/recipients.txt");
    let site = Site::parse("oslo").unwrap();
    here.link("keys/oslo/recipients.txt", &here.path().join("elsewhere/recipients.txt")).unwrap();
    let added = add_to_site(&keys, &site, &[make_recipient()]);
    assert!(matches!(added, Err(RecipientsError::Outside { .. })), "{added:?}");
}

#[test]
fn each_site_has_its_own_keys_and_a_shared_one_is_said() {
    let here = TemporaryDirectory::scratch();
    let (one, other) = (make_recipient(), make_recipient());
    here.write("lyon/recipients.txt", &format!("{one}\n{ED25519} a\n"));
    here.write("oslo/recipients.txt", &format!("{other}\n"));
    here.write("turin/recipients.txt", &format!("{ED25519} b\n"));
    let set = RecipientSet::of_vault(here.path()).unwrap();
    let sites: Vec<&Site> = set.sites().collect();
    let counts: Vec<usize> = sites.iter().map(|site| set.site(site).count()).collect();
    assert_eq!(counts, [2, 1, 1]);
    assert_eq!(set.site(&Site::parse("paris").unwrap()).count(), 0);
    assert_eq!(set.keys_of(sites[1..].iter().copied()).count(), 2);
    assert_eq!(set.keys_of(set.sites()).count(), 4);
    let said: Vec<String> = set.warnings().iter().map(ToString::to_string).collect();
    let expected = format!(
        "lyon and turin share a recipient: whoever has its identity opens what is for any of them: {ED25519}"
    );
    assert_eq!(said, [expected]);
}

#[test]
fn threads_can_seal_for_one_set() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<RecipientSet>();
    is_shared::<Listing>();
}

#[test]
fn a_recipient_is_added_below_what_is_there_and_never_twice() {
    let here = TemporaryDirectory::scratch();
    let keys = here.path().join("keys");
    let site = Site::parse("lyon").unwrap();
    let (one, other) = (make_recipient(), make_recipient());
    let path = add_to_site(&keys, &site, std::slice::from_ref(&one)).unwrap();
    assert_eq!(path, keys.join("lyon/recipients.txt"));
    here.write("keys/lyon/recipients.txt", &format!("# whose\n{one}"));
    add_to_site(&keys, &site, &[other.clone(), format!("{ED25519} whose")]).unwrap();
    let text = || String::from_utf8(crate::fs::read_public(&path).unwrap()).unwrap();
    let expected = format!("# whose\n{one}\n{other}\n{ED25519} whose\n");
    assert_eq!(text(), expected);
    let error = add_to_site(&keys, &site, &[make_recipient(), format!("{ED25519} another")]).unwrap_err();
    assert_eq!(error.to_string(), format!("recipient 2 is the recipient of {}:4 again", path.display()));
    let one = make_recipient();
    let error = add_to_site(&keys, &site, &[one.clone(), one]).unwrap_err();
    assert_eq!(error.to_string(), "recipient 2 is the recipient of recipient 1 again");
    let line_of_two = format!("{}\n{}", make_recipient(), make_recipient());
    for bad in ["age1nonsense", RSA_1024, line_of_two.as_str()] {
        assert!(add_to_site(&keys, &site, &[bad.to_owned()]).is_err(), "{bad}");
    }
    assert_eq!(text(), expected);
}

#[test]
fn a_file_of_comments_is_one_to_begin_with_and_a_file_with_a_fault_is_left_alone() {
    let here = TemporaryDirectory::scratch();
    let site = Site::parse("lyon").unwrap();
    let path = here.write("lyon/recipients.txt", "# nobody yet\n");
    add_to_site(here.path(), &site, &[ED25519.to_owned()]).unwrap();
    assert_eq!(crate::fs::read_public(&path).unwrap(), format!("# nobody yet\n{ED25519}\n").as_bytes());
    here.write("lyon/recipients.txt", "nonsense\n");
    assert!(add_to_site(here.path(), &site, &[make_recipient()]).is_err());
    assert!(add_to_site(here.path(), &Site::parse("turin").unwrap(), &[]).is_err());
    assert_eq!(crate::fs::names_in(here.path()).unwrap(), ["lyon"]);
}

#[test]
fn a_site_is_removed_with_its_directory_and_only_once() {
    let here = TemporaryDirectory::scratch();
    here.write("lyon/recipients.txt", &make_recipient());
    let site = Site::parse("lyon").unwrap();
    remove_site(here.path(), &site).unwrap();
    assert!(crate::fs::names_in(here.path()).unwrap().is_empty());
    assert!(matches!(remove_site(here.path(), &site), Err(RecipientsError::NoSite { .. })));
}
