//! A thousand secrets, each with a value of its own, in every form that a machine's files write them.

/// Where a plant stands: the path of its file, and the file's text.
pub struct Plant {
    pub kind: &'static str,
    pub path: String,
    pub text: String,
    pub value: String,
}

/// A value that is found again wherever it leaks: no two share a part.
pub fn value(seed: u32) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(97);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let letters: Vec<char> = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
        .chars()
        .collect();
    let text: String = (0..9)
        .map(|_| letters[next() as usize % letters.len()])
        .collect();
    format!("{text}{:03}", next() % 1000)
}

/// Forms: kind, file name, and text with `@@` for the value.
pub const FORMS: &[(&str, &str, &str)] = &[
    (
        "php",
        "wp-config{}.php",
        "<?php\ndefine( 'AUTH_KEY', 'not-a-real-key-@@' );\n",
    ),
    ("environment", "app{}.env", "HOST=db\nDB_PASSWORD=@@\n"),
    ("environment", "app{}.env", "export API_KEY='@@'\n"),
    (
        "environment",
        "app{}.env",
        "SMTP_PASS=\"@@ and more words\"\n",
    ),
    (
        "environment",
        "app{}.env",
        "REDIS_URL=redis://:@@@cache:6379/0\n",
    ),
    (
        "environment",
        "app{}.env",
        "JWT_SECRET=@@ # rotate in May\n",
    ),
    (
        "environment",
        "app{}.env",
        "TLS_KEY=\"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq@@\n-----END PRIVATE KEY-----\"\n",
    ),
    ("yaml", "config{}.yml", "db:\n  user: a\n  password: @@\n"),
    (
        "yaml",
        "config{}.yml",
        "db:\n  password: \"@@\"  # trailing\n",
    ),
    (
        "yaml",
        "config{}.yml",
        "env:\n  - name: DB_PASSWORD\n    value: @@\n",
    ),
    (
        "yaml",
        "config{}.yml",
        "env: [{name: DB_PASSWORD, value: @@}]\n",
    ),
    ("yaml", "config{}.yml", "secret: >-\n  @@\nnext: 1\n"),
    (
        "yaml",
        "config{}.yaml",
        "private_key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIEowIBAAKCAQEA@@\n  -----END RSA PRIVATE KEY-----\n",
    ),
    (
        "json",
        "config{}.json",
        "{\n  \"host\": \"a\",\n  \"password\": \"@@\"\n}\n",
    ),
    (
        "json",
        "config{}.json",
        "{\"a\":{\"apiKey\":\"@@\"},\"b\":1}\n",
    ),
    (
        "json",
        "account{}.json",
        "{\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkq@@\\n-----END PRIVATE KEY-----\\n\"}\n",
    ),
    (
        "json",
        "docker{}.json",
        "{\"auths\":{\"r.example.org\":{\"auth\":\"@@Zk3jf9Lq0==\"}}}\n",
    ),
    (
        "json",
        "nested{}.json",
        "{\"a\": \"{\\\"password\\\": \\\"@@\\\"}\"}\n",
    ),
    (
        "xml",
        "context{}.xml",
        "<Context><Resource username=\"a\" password=\"@@\" url=\"x\"/></Context>\n",
    ),
    (
        "xml",
        "beans{}.xml",
        "<bean><property name=\"password\" value=\"@@\"/></bean>\n",
    ),
    (
        "xml",
        "beans{}.xml",
        "<bean><property name=\"password\"><value>@@</value></property></bean>\n",
    ),
    (
        "xml",
        "web{}.config",
        "<add key=\"SmtpPassword\" value=\"@@\" />\n",
    ),
    (
        "xml",
        "settings{}.xml",
        "<server><id>x</id><password>@@</password></server>\n",
    ),
    ("ini", "app{}.ini", "[db]\nhost = a\npassword = @@\n"),
    ("ini", "app{}.ini", "[db]\npassword1 = @@ ; old\n"),
    ("ini", "app{}.cfg", "[rabbit]\ndefault_pass = @@\n"),
    (
        "properties",
        "application{}.properties",
        "spring.datasource.password=@@\n",
    ),
    (
        "properties",
        "application{}.properties",
        "spring.datasource.password=${DB_PASSWORD:@@}\n",
    ),
    ("toml", "app{}.toml", "[db]\npassword = \"@@\"\n"),
    ("toml", "app{}.toml", "[db]\npassword = \"\"\"@@\"\"\"\n"),
    ("blank", "redis{}.conf", "port 6379\nrequirepass \"@@\"\n"),
    ("blank", "redis{}.conf", "requirepass @@\n"),
    ("blank", "sentinel{}.conf", "sentinel auth-pass main @@\n"),
    (
        "blank",
        "vhost{}.conf",
        "<VirtualHost *>\n  SetEnv DB_PASSWORD \"@@\"\n</VirtualHost>\n",
    ),
    (
        "blank",
        "haproxy{}.cfg",
        "listen x\n  stats auth admin:@@\n",
    ),
    (
        "blank",
        "named{}.conf",
        "key \"rndc\" {\n  algorithm hmac-sha256;\n  secret \"@@\";\n};\n",
    ),
    (
        "blank",
        "site{}.conf",
        "location / { proxy_set_header X-Api-Key \"@@\"; }\n",
    ),
    ("blank", "snmpd{}.conf", "rocommunity @@ 10.0.0.0/8\n"),
    (
        "python",
        "settings{}.py",
        "SECRET_KEY = 'django-insecure-@@'\n",
    ),
    ("python", "settings{}.py", "password: str = \"@@\"\n"),
    (
        "python",
        "settings{}.py",
        "PASSWORD = os.environ.get('DB_PASSWORD', '@@')\n",
    ),
    (
        "python",
        "db{}.py",
        "conn = connect(\"dbname=shop user=shop password=@@\")\n",
    ),
    ("python", "db{}.py", "PASSWORD = \"\"\"@@\"\"\"\n"),
    (
        "php",
        "wp-config{}.php",
        "<?php\ndefine('DB_PASSWORD', '@@');\n",
    ),
    (
        "php",
        "db{}.php",
        "<?php\n$db = new mysqli('h', 'u', '@@', 'd');\n",
    ),
    (
        "php",
        "conf{}.php",
        "<?php return ['db' => ['password' => '@@']];\n",
    ),
    (
        "php",
        "conf{}.php",
        "<?php $cfg['blowfish_secret'] = '@@';\n",
    ),
    (
        "javascript",
        "config{}.js",
        "module.exports = { password: '@@' };\n",
    ),
    (
        "javascript",
        "config{}.js",
        "const secret = process.env.SECRET || '@@';\n",
    ),
    ("java", "Db{}.java", "String password = \"@@\";\n"),
    (
        "go",
        "db{}.go",
        "var dsn = \"user:@@@tcp(db:3306)/shop\"\nconst apiKey = \"@@\"\n",
    ),
    ("c", "db{}.c", "static const char password[] = \"@@\";\n"),
    (
        "shell",
        "run{}.sh",
        "#!/bin/sh\nPGPASSWORD=@@ pg_dump shop\n",
    ),
    (
        "shell",
        "run{}.sh",
        "#!/bin/sh\nmysqldump -u root -p@@ shop\n",
    ),
    (
        "shell",
        "run{}.sh",
        "#!/bin/sh\ncurl -u \"bob:a @@\" https://x/\n",
    ),
    ("shell", "run{}.sh", "#!/bin/sh\n: ${DB_PASSWORD:-@@}\n"),
    ("npm", "x{}/.npmrc", "//registry.npmjs.org/:_authToken=@@\n"),
    ("netrc", "x{}/.netrc", "machine h login u password @@\n"),
    ("pgpass", "x{}/.pgpass", "db:5432:shop:shop:@@\n"),
    ("userlist", "x{}/userlist.txt", "\"shop\" \"@@\"\n"),
    (
        "sasl",
        "x{}/sasl_passwd",
        "[smtp.example.org]:587 user:@@\n",
    ),
    (
        "users",
        "x{}/dovecot/users",
        "bob:{PLAIN}@@:1000:1000::/home/bob\n",
    ),
    ("acl", "x{}/users.acl", "user default on >@@ ~* +@all\n"),
    (
        "smbpasswd",
        "x{}/smbpasswd",
        "bob:1000:XXXXXXXX:@@:[U ]:LCT-0:\n",
    ),
    ("mongo", "x{}/keyFile", "@@@@@@@@\n"),
    ("rails", "x{}/master.key", "@@\n"),
    (
        "wireguard",
        "wg{}.conf",
        "[Interface]\nPrivateKey = @@@@@@c=\n",
    ),
    (
        "openvpn",
        "x{}/ta.key",
        "-----BEGIN OpenVPN Static key V1-----\n@@@@\n-----END OpenVPN Static key V1-----\n",
    ),
    ("cifs", "x{}/cifs.creds", "username=a\npassword=@@\n"),
    (
        "azure",
        "azure{}.json",
        "{\"c\": \"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=@@==;EndpointSuffix=x\"}\n",
    ),
    ("aws", "note{}.txt", "AKIAIOSFODNN7ABCDEFG:@@\n"),
    ("github", "note{}.txt", "ghp_@@@@@@\n"),
    (
        "sql",
        "init{}.sql",
        "CREATE USER shop IDENTIFIED BY '@@';\n",
    ),
    ("sql", "init{}.sql", "ALTER ROLE shop WITH PASSWORD '@@';\n"),
    ("nul", "app{}.dat", "A=1\n\u{0}\nDB_PASSWORD=@@\n"),
    ("vendored", "x{}/node_modules/y/.env", "DB_PASSWORD=@@\n"),
    (
        "vendored",
        "x{}/vendor/y/config.json",
        "{\"password\": \"@@\"}\n",
    ),
    (
        "page",
        "page{}.html",
        "<script>var apiKey = \"@@\";</script>\n",
    ),
    (
        "image",
        "logo{}.svg",
        "<svg><!-- x --><desc>password = @@</desc></svg>\n",
    ),
    ("shell", "job{}.sh", "#!/bin/sh\necho @@ | sudo -S ls\n"),
    (
        "shell",
        "job{}.sh",
        "#!/bin/sh\necho '@@' | docker login -u u --password-stdin\n",
    ),
    (
        "shell",
        "job{}.sh",
        "#!/bin/bash\ncryptsetup luksOpen a b <<< @@\n",
    ),
    (
        "shell",
        "job{}.sh",
        "#!/bin/sh\ncurl -u bob:'a @@' https://x/\n",
    ),
    (
        "shell",
        "job{}.sh",
        "#!/bin/sh\necho root:'@@!' | chpasswd\n",
    ),
    ("php", "wp{}.php", "<?php\ndefine( 'AUTH_KEY',   '@@' );\n"),
    ("c", "db{}.c", "#define DB_PASSWORD \"@@\"\n"),
    (
        "c",
        "db{}.c",
        "mysql_real_connect(c, \"h\", \"u\", \"@@\", \"d\", 0, NULL, 0);\n",
    ),
    (
        "csharp",
        "mail{}.cs",
        "public string ApiKey { get; set; } = \"@@\";\n",
    ),
    (
        "csharp",
        "mail{}.cs",
        "new NetworkCredential(\"u\", \"@@\");\n",
    ),
    ("go", "main{}.go", "var apiKey string = \"@@\"\n"),
    ("go", "main{}.go", "dsn := \"u:@@@tcp(h:3306)/x\"\n"),
    ("java", "Ds{}.java", "ds.setPassword(\"@@\");\n"),
    ("perl", "db{}.pl", "$ENV{DB_PASSWORD} = '@@';\n"),
    (
        "perl",
        "db{}.pl",
        "my $dbh = DBI->connect('dbi:mysql:x', 'u', '@@');\n",
    ),
    ("ruby", "env{}.rb", "ENV['DB_PASSWORD'] ||= '@@'\n"),
    (
        "python",
        "api{}.py",
        "requests.get(u, auth=('bob', '@@'))\n",
    ),
    ("javascript", "jwt{}.js", "jwt.sign(claims, '@@');\n"),
    ("pool", "pool{}.conf", "[www]\nenv[DB_PASSWORD] = '@@'\n"),
    (
        "terraform",
        "main{}.tf",
        "variable \"db_password\" {\n  type = string\n  default = \"@@\"\n}\n",
    ),
    (
        "erlang",
        "sys{}.config",
        "[{rabbit, [{default_pass, <<\"@@\">>}]}].\n",
    ),
    ("erlang", "vm{}.args", "-name a@b\n-setcookie @@\n"),
    ("yaml", "pod{}.yaml", "args:\n  - --password\n  - @@\n"),
    (
        "yaml",
        "database{}.yml",
        "password: <%= ENV['X'] || '@@' %>\n",
    ),
    (
        "xml",
        "web{}.config",
        "<add value=\"@@\" key=\"ApiToken\"/>\n",
    ),
    (
        "xml",
        "core{}.xml",
        "<property>\n<name>fs.s3a.secret.key</name>\n<value>@@</value>\n</property>\n",
    ),
    (
        "xml",
        "app{}.plist",
        "<key>APIToken</key>\n<string>@@</string>\n",
    ),
    (
        "json",
        "arm{}.json",
        "{\"adminPassword\": {\"type\": \"x\", \"defaultValue\": \"@@\"}}\n",
    ),
    (
        "fstab",
        "fstab{}",
        "//h/s /m cifs username=a,password=@@,uid=1 0 0\n",
    ),
    ("ldap", "bind{}.conf", "dn = cn=x\ndnpass = @@\n"),
    ("ldap", "users{}.ldif", "dn: x\nuserPassword:: @@=\n"),
    ("ipsec", "vpn{}.secrets", "bob : EAP \"@@\"\n"),
    ("snmp", "snmp{}.conf", "defCommunity @@\n"),
    (
        "nginx",
        "key{}.conf",
        "if ($http_x_api_key != \"@@\") { return 403; }\n",
    ),
    (
        "jdbc",
        "db{}.properties",
        "url=jdbc:oracle:thin:scott/@@@//db:1521/orcl\n",
    ),
    ("sql", "set{}.sql", "SET PASSWORD FOR a = PASSWORD('@@');\n"),
    ("environment", "app{}.env", "BASIC_AUTH=admin:@@\n"),
    (
        "environment",
        "key{}.env",
        "K=LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2@@\n",
    ),
    (
        "sql",
        "rows{}.sql",
        "INSERT INTO users (login, password) VALUES ('bob', 'x'), ('eve', '@@');\n",
    ),
    (
        "sql",
        "dump{}.sql",
        "COPY public.users (id, login, password) FROM stdin;\n1\tbob\t@@\n\\.\n",
    ),
    (
        "sql",
        "set{}.sql",
        "SET PASSWORD FOR 'bob'@'%' = '@@';\nEXEC sp_addlogin 'bob', '@@';\n",
    ),
    ("sql", "role{}.sql", "ALTER USER bob PASSWORD \"@@\";\n"),
    ("csv", "users{}.csv", "login,password\nbob,@@\n"),
    (
        "python",
        "rows{}.py",
        "db.execute(\"INSERT INTO users (login, password) VALUES ('bob', '@@')\")\n",
    ),
    (
        "python",
        "dsn{}.py",
        "dsn = \"host=h user=u password='@@ b'\"\n",
    ),
    ("python", "token{}.py", "api_token = 'word@@'\n"),
    (
        "python",
        "header{}.py",
        "headers = \"Authorization: Bearer \" + \"@@\"\n",
    ),
    (
        "csharp",
        "dsn{}.cs",
        "var dsn = \"Server=h;Uid=a;Pwd=@@ b;Port=1\";\n",
    ),
    ("php", "put{}.php", "<?php putenv('DB_PASSWORD=x;@@');\n"),
    (
        "javascript",
        "url{}.js",
        "connect('mongodb+srv://u:pa$@@@h/x');\n",
    ),
    ("go", "dsn{}.go", "dsn := \"u:blue @@@tcp(h:3306)/x\"\n"),
    (
        "shell",
        "glued{}.sh",
        "#!/bin/sh\ncurl -H 'X-Api-Key: ''@@' h\n",
    ),
    (
        "shell",
        "mail{}.sh",
        "#!/bin/sh\nftp -n h <<E\nquote USER bob\nquote PASS @@\nE\n",
    ),
    (
        "shell",
        "dialog{}.sh",
        "#!/bin/sh\nexpect <<E\nexpect \"assword:\"\nsend \"@@\\r\"\nE\n",
    ),
    (
        "shell",
        "backup{}.sh",
        "#!/bin/sh\nborg init --passcommand 'echo @@'\n",
    ),
    ("yaml", "pod{}.yaml", "args:\n- \"--api-token\"\n- \"@@\"\n"),
    (
        "yaml",
        "snmp{}.yml",
        "auths:\n  v2:\n    community: @@\n    version: 2\n",
    ),
    (
        "composer",
        "x{}/auth.json",
        "{\n  \"github-oauth\": {\n    \"github.com\": \"@@\"\n  }\n}\n",
    ),
    ("azure", "azure{}.env", "X=abc8Q~@@@@@@\n"),
    (
        "powershell",
        "p{}.ps1",
        "$p = ConvertTo-SecureString \"@@\" -AsPlainText -Force\n",
    ),
];

/// `rounds` of every form below `directory`.
pub fn plants(directory: &str, rounds: u32) -> Vec<Plant> {
    let mut all = Vec::new();
    for round in 0..rounds {
        for (at, (kind, name, text)) in FORMS.iter().enumerate() {
            let number = round * u32::try_from(FORMS.len()).unwrap() + u32::try_from(at).unwrap();
            let value = value(number + 1);
            all.push(Plant {
                kind,
                path: format!("{directory}/{}", name.replace("{}", &number.to_string())),
                text: text
                    .replace("@@@@@@", &format!("{value}{value}{value}"))
                    .replace("@@@@", &format!("{value}{value}"))
                    .replace("@@", &value),
                value,
            });
        }
    }
    all
}
