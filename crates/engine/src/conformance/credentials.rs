use crate::port::credentials::*;
use flowtrace_core::id::Timestamp;
use std::sync::Arc;

type Any = Arc<dyn Credentials>;

fn secret(name: &str, sealed: &[u8], at: u64) -> SealedSecret {
    SealedSecret { name: name.to_owned(), sealed: sealed.to_vec(), key_id: "k1".to_owned(), set_at: Timestamp(at) }
}

pub async fn secrets_are_replaced_and_deleted(store: Any) {
    assert_eq!(store.secrets().await.unwrap(), []);
    let (b, a) = (secret("b", b"\0\xff\x80", 5), secret("a", &[7; 70_000], 6));
    assert!(store.put_secret(b.clone(), 10).await.unwrap());
    assert!(store.put_secret(a.clone(), 10).await.unwrap());
    assert_eq!(store.secrets().await.unwrap(), [a.clone(), b]);
    let newer = SealedSecret { key_id: "k2".to_owned(), ..secret("b", b"other", 7) };
    assert!(store.put_secret(newer.clone(), 10).await.unwrap());
    assert_eq!(store.secrets().await.unwrap(), [a.clone(), newer]);
    assert!(store.delete_secret("b").await.unwrap());
    assert!(!store.delete_secret("b").await.unwrap());
    assert_eq!(store.secrets().await.unwrap(), [a]);
}

pub async fn there_are_no_more_secrets_than_may_be(store: Any) {
    let puts = (0..8).map(|number| store.put_secret(secret(&format!("s{number}"), b"x", number), 3));
    let taken = futures::future::join_all(puts).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken == Ok(true)).count(), 3);
    let all = store.secrets().await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(store.put_secret(secret(&all[0].name, b"again", 9), 3).await.unwrap(), "a replacement is not one more");
}

fn key(id: &str, name: &str) -> AccessKey {
    AccessKey {
        id: id.to_owned(),
        name: name.to_owned(),
        hash: format!("hash of {id}"),
        hint: "ft_12ab".to_owned(),
        scope: "ingest".to_owned(),
        created_at: Timestamp(5),
        last_used_at: None,
    }
}

pub async fn access_keys_come_and_go(store: Any) {
    let (first, second) = (key("2", "ü"), AccessKey { created_at: Timestamp(9), ..key("1", "b") });
    store.create_access_key(second.clone(), 10).await.unwrap();
    store.create_access_key(first.clone(), 10).await.unwrap();
    assert_eq!(store.access_keys().await.unwrap(), [first.clone(), second.clone()]);
    store.touch_access_key("2", Timestamp(77)).await.unwrap();
    store.touch_access_key("gone", Timestamp(77)).await.unwrap();
    let used = AccessKey { last_used_at: Some(Timestamp(77)), ..first };
    assert_eq!(store.access_keys().await.unwrap(), [used, second.clone()]);
    assert!(store.delete_access_key("2").await.unwrap());
    assert!(!store.delete_access_key("2").await.unwrap());
    store.touch_access_key("2", Timestamp(78)).await.unwrap();
    assert_eq!(store.access_keys().await.unwrap(), [second]);
}

pub async fn an_access_key_is_named_once_and_their_number_is_bounded(store: Any) {
    let same = (0..4).map(|number| store.create_access_key(key(&format!("a{number}"), "same"), 10));
    let outcomes = futures::future::join_all(same).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(KeyError::NameTaken)).count(), 3);
    let more = (0..4).map(|number| store.create_access_key(key(&format!("b{number}"), &format!("n{number}")), 3));
    let outcomes = futures::future::join_all(more).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(KeyError::TooMany)).count(), 2);
}
