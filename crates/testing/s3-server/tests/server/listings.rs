use super::client::{Client, Reply};

/// Keys whose order or spelling goes wrong easily, in byte order.
const KEYS: [&str; 9] = [
    "..foo", "a", "a b", "a#1", "a%20b", "a.b", "a/1", "a/2/3", "a0",
];

async fn filled() -> Client {
    let client = Client::new().await;
    for key in KEYS {
        let target = key
            .replace('%', "%25")
            .replace(' ', "%20")
            .replace('#', "%23");
        let put = client.put(&format!("/{target}"), &[], key.as_bytes()).await;
        assert_eq!(put.status, 200, "{key}");
    }
    client
}

/// Keys and groups of a reply.
fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let groups = reply.all("CommonPrefixes");
    let groups = groups.iter().map(|group| {
        let inner = group
            .split("<Prefix>")
            .nth(1)
            .and_then(|rest| rest.split('<').next());
        inner.unwrap().to_owned()
    });
    let mut names: Vec<String> = reply.all("Key").into_iter().chain(groups).collect();
    names.sort();
    names
}

#[tokio::test]
async fn keys_are_listed_in_byte_order_and_read_back() {
    let client = filled().await;
    let listed = client.get("?list-type=2").await;
    assert_eq!(listed.all("Key"), KEYS);
    assert_eq!(listed.all("KeyCount"), ["9"]);
    let encoded = client.get("?encoding-type=url&list-type=2").await;
    assert!(
        encoded.all("Key").contains(&"a%2520b".to_owned()),
        "{}",
        encoded.text()
    );
    for (key, target) in [("a b", "/a%20b"), ("a%20b", "/a%2520b"), ("a#1", "/a%231")] {
        assert_eq!(client.get(target).await.text(), key);
    }
}

#[tokio::test]
async fn a_delimiter_groups_keys() {
    let client = filled().await;
    let level = client.get("?delimiter=%2F&list-type=2").await;
    assert_eq!(
        names(&level),
        ["..foo", "a", "a b", "a#1", "a%20b", "a.b", "a/", "a0"]
    );
    let below = client.get("?delimiter=%2F&list-type=2&prefix=a%2F").await;
    assert_eq!(names(&below), ["a/1", "a/2/"]);
    let start = client.get("?delimiter=%2F&list-type=2&prefix=a%2F2").await;
    assert_eq!(names(&start), ["a/2/"]);
    let odd = client.get("?delimiter=.&list-type=2").await;
    assert_eq!(
        names(&odd),
        [".", "a", "a b", "a#1", "a%20b", "a.", "a/1", "a/2/3", "a0"]
    );
    let none = client
        .get("?delimiter=%2F&list-type=2&prefix=b%2F%2F")
        .await;
    assert!(names(&none).is_empty());
}

#[tokio::test]
async fn pages_give_every_name_once() {
    let client = filled().await;
    for query in ["", "&delimiter=%2F", "&delimiter=.", "&prefix=a"] {
        let query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        let whole = client
            .get(&format!("?list-type=2&{}", query.join("&")))
            .await;
        for size in [1, 2, 3] {
            let (mut all, mut token) = (Vec::new(), String::new());
            for _ in 0..KEYS.len() + 1 {
                let reply = client
                    .get(&format!(
                        "?{}{token}list-type=2&max-keys={size}",
                        pairs(&query)
                    ))
                    .await;
                let page = names(&reply);
                assert!(page.len() <= size);
                all.extend(page);
                match reply.all("NextContinuationToken").pop() {
                    Some(next) => {
                        token = format!("continuation-token={}&", next.replace('=', "%3D"));
                    }
                    None => break,
                }
            }
            assert_eq!(all, names(&whole), "{query:?} by {size}");
        }
    }
    let nothing = client.get("?list-type=2&max-keys=0").await;
    assert_eq!(
        (names(&nothing).len(), nothing.all("IsTruncated")),
        (0, vec!["false".to_owned()])
    );
    let forged = client.get("?continuation-token=%2A&list-type=2").await;
    assert_eq!(forged.outcome(), (400, "InvalidArgument".into()));
}

fn pairs(query: &[&str]) -> String {
    query.iter().map(|pair| format!("{pair}&")).collect()
}

#[tokio::test]
async fn a_listing_starts_after_a_key() {
    let client = filled().await;
    let after = client.get("?list-type=2&start-after=a.b").await;
    assert_eq!(after.all("Key"), ["a/1", "a/2/3", "a0"]);
    let first = client.get("?marker=a.b&max-keys=2").await;
    assert_eq!(
        (first.all("Key"), first.all("NextMarker")),
        (
            vec!["a/1".to_owned(), "a/2/3".to_owned()],
            vec!["a/2/3".to_owned()]
        )
    );
}

#[tokio::test]
async fn many_are_deleted_in_one_request() {
    let client = filled().await;
    let objects: String = ["a", "a/1", "none"]
        .map(|key| format!("<Object><Key>{key}</Key></Object>"))
        .concat();
    let body =
        format!("<Delete>{objects}<Object><Key>a0</Key><ETag>other</ETag></Object></Delete>");
    let reply = client.send("POST", "?delete", &[], body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.all("Deleted").len(), 3);
    assert_eq!(reply.all("Code"), ["PreconditionFailed"]);
    let left = client.get("?list-type=2").await;
    assert_eq!(
        left.all("Key"),
        ["..foo", "a b", "a#1", "a%20b", "a.b", "a/2/3", "a0"]
    );
}
