cd /tmp
printf 'fn main(){println!("{}",1);let v:Vec<u8>=vec![];drop(v)}' > m2.rs
rustc -O -g m2.rs -o m2
rustc --print cfg
rustc --explain E0001
rustc -C incremental=/tmp/inc m2.rs --emit=obj
rustc --crate-type lib m2.rs
rustc none.rs
rustc -Z help
rustc --test m2.rs -o m3
rustc --print target-list
rustc -C codegen-units=4 -C opt-level=3 m2.rs --emit=llvm-ir,asm,dep-info,link
