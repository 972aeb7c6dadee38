#![allow(clippy::unwrap_used)]

use super::*;
use crate::store::sqlite::SqliteStore;
use tempfile::TempDir;

const VALUE: &str = "pässword-0123456789";

struct Place {
    data: TempDir,
    keys: TempDir,
    store: Arc<SqliteStore>,
    known: Known,
}

impl Place {
    fn new() -> Place {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(data.path()).unwrap());
        Place { data, keys: tempfile::tempdir().unwrap(), store, known: Known::default() }
    }

    fn key(&self) -> std::path::PathBuf {
        self.keys.path().join("new/deep/secret.key")
    }

    async fn vault_at(&self, path: Option<std::path::PathBuf>) -> Arc<Vault> {
        let key_file = KeyFile { path, data: self.data.path().to_owned() };
        Vault::open(self.store.clone(), key_file, vec![("ENV".to_owned(), "from-outside".to_owned())], self.known.clone())
            .await
            .unwrap()
    }

    async fn vault(&self) -> Arc<Vault> {
        self.vault_at(Some(self.key())).await
    }
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_comes_back_only_with_its_key() {
    let place = Place::new();
    let vault = place.vault().await;
    assert_eq!((vault.key(), vault.problem()), (KeyStatus::NotMade, None));
    assert!(!place.key().exists(), "nothing is made before it is needed");
    vault.set("crm-key", VALUE, Timestamp(7)).await.unwrap();
    assert_eq!((vault.key(), vault.get("crm-key").as_deref()), (KeyStatus::Ready, Some(VALUE)));
    assert_eq!(vault.list(), [Listed { name: "crm-key".to_owned(), set_at: Timestamp(7), usable: true }]);
    assert_eq!(place.known.redactor().text(&format!("{VALUE} from-outside")), "[secret:crm-key] [secret:ENV]");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(place.key()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Two seals of the same differ, and neither shows the value.
    let first = place.store.secrets().await.unwrap();
    vault.set("crm-key", VALUE, Timestamp(8)).await.unwrap();
    let second = place.store.secrets().await.unwrap();
    assert_ne!(first[0].sealed, second[0].sealed);
    let files = std::fs::read_dir(place.data.path()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(VALUE.len()).any(|window| window == VALUE.as_bytes()));
    }
    // The next process.
    let again = place.vault().await;
    assert_eq!(again.get("crm-key").as_deref(), Some(VALUE));
    assert!(again.delete("crm-key").await.unwrap());
    assert!(!again.delete("crm-key").await.unwrap());
    assert_eq!(again.get("crm-key"), None);
    assert_eq!(place.known.redactor().text(VALUE), VALUE);
}

#[tokio::test]
async fn without_its_key_a_secret_stays_shut_and_the_reason_is_told() {
    let place = Place::new();
    place.vault().await.set("a", VALUE, Timestamp(1)).await.unwrap();
    let aside = place.keys.path().join("aside");
    std::fs::rename(place.key(), &aside).unwrap();

    let vault = place.vault().await;
    assert_eq!((vault.key(), vault.get("a")), (KeyStatus::Missing, None));
    assert!(vault.problem().unwrap().contains("is not there: put it back"), "{:?}", vault.problem());
    assert!(vault.why_not("a").is_some() && vault.why_not("b").is_none());
    let refused = vault.set("b", "x", Timestamp(2)).await.unwrap_err();
    assert!(matches!(&refused, VaultError::NoKey(why) if why.contains("put it back")), "{refused}");
    assert!(!place.key().exists(), "a new key would shut the old secrets for ever");

    // Another key: what is set from now on works, and setting the old one again mends it.
    let other = Place::new();
    other.vault().await.set("x", "y", Timestamp(1)).await.unwrap();
    std::fs::copy(other.key(), place.key()).unwrap();
    vault.refresh().await.unwrap();
    assert_eq!((vault.key(), vault.get("a")), (KeyStatus::Other, None));
    assert!(vault.problem().unwrap().contains("not sealed with the key"), "{:?}", vault.problem());
    vault.set("b", "value", Timestamp(2)).await.unwrap();
    assert_eq!(vault.get("b").as_deref(), Some("value"));
    vault.set("a", "anew", Timestamp(3)).await.unwrap();
    assert_eq!((vault.key(), vault.get("a").as_deref()), (KeyStatus::Ready, Some("anew")));

    // A file that is no key.
    std::fs::write(place.key(), "nonsense").unwrap();
    vault.refresh().await.unwrap();
    assert!(matches!(vault.key(), KeyStatus::Unusable(why) if why.contains("holds no key")), "{:?}", vault.key());
    assert!(vault.set("c", "x", Timestamp(4)).await.is_err());
    assert!(vault.delete("b").await.unwrap(), "deleting needs no key");
}

#[tokio::test]
async fn the_key_does_not_lie_beside_what_it_opens() {
    let place = Place::new();
    for path in
        [place.data.path().join("secret.key"), place.data.path().join("../x/../").join(place.data.path()).join("a/b/c.key")]
    {
        let vault = place.vault_at(Some(path.clone())).await;
        let refused = vault.set("a", "x", Timestamp(1)).await.unwrap_err();
        assert!(refused.to_string().contains("lies in the data directory"), "{refused}");
        assert!(!path.exists());
    }
    let vault = place.vault_at(None).await;
    let refused = vault.set("a", "x", Timestamp(1)).await.unwrap_err();
    assert!(refused.to_string().contains("--secret-key-file"), "{refused}");
}

#[tokio::test]
async fn names_and_values_have_limits() {
    let place = Place::new();
    let vault = place.vault().await;
    for name in ["", ".", "..", "-a", "a b", "a/b", "ä", "{{x}}", &"a".repeat(MAX_NAME + 1)] {
        assert!(matches!(vault.set(name, "x", Timestamp(1)).await, Err(VaultError::Invalid(_))), "{name}");
    }
    for value in ["", &"x".repeat(MAX_VALUE + 1)] {
        assert!(matches!(vault.set("a", value, Timestamp(1)).await, Err(VaultError::Invalid(_))), "{}", value.len());
    }
    let longest = "y".repeat(MAX_VALUE);
    vault.set(&"A".repeat(MAX_NAME), &longest, Timestamp(1)).await.unwrap();
    assert_eq!(vault.get(&"A".repeat(MAX_NAME)), Some(longest));
}

#[tokio::test]
async fn two_at_once_make_one_key() {
    let place = Place::new();
    let (one, two) = (place.vault().await, place.vault().await);
    let (a, b) = tokio::join!(one.set("a", "value a", Timestamp(1)), two.set("b", "value b", Timestamp(1)));
    a.unwrap();
    b.unwrap();
    let after = place.vault().await;
    assert_eq!((after.get("a").as_deref(), after.get("b").as_deref()), (Some("value a"), Some("value b")));
    assert_eq!(std::fs::read_dir(place.key().parent().unwrap()).unwrap().count(), 1, "nothing is left beside the key");
}

#[test]
fn a_seal_holds_for_one_name_and_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let key = |name: &str| {
        let file = KeyFile { path: Some(dir.path().join(name)), data: dir.path().join("data") };
        file.read_or_make().unwrap()
    };
    let (one, two) = (key("one"), key("two"));
    assert!(one.id != two.id && one.id.len() == 16);
    let sealed = one.seal("a", VALUE).unwrap();
    assert_eq!(one.open("a", &sealed).as_deref(), Some(VALUE));
    assert_eq!((one.open("b", &sealed), two.open("a", &sealed)), (None, None));
    for at in [0, 23, 24, sealed.len() - 1] {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert_eq!(one.open("a", &damaged), None);
    }
    for cut in [0, 10, 24, 39] {
        assert_eq!(one.open("a", &sealed[..cut]), None);
    }
}
