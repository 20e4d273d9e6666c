//! What a proof changes of a scan: how certain its workloads are.

use crate::proof::Proof;
use crate::rule::Certainty;
use crate::scan::Scan;

/// Takes a proof in. The scan's own document stays as it is; reports show both.
pub fn prove(scan: &mut Scan, proof: Proof) {
    for workload in &mut scan.workloads {
        let mut proven = proof
            .workloads
            .iter()
            .filter(|proven| proven.id == workload.id);
        if proven.any(|proven| proven.proven) {
            workload.assessment.certainty = Certainty::Proven;
        }
    }
    let parts = scan
        .workloads
        .iter()
        .map(|workload| workload.assessment.certainty);
    let machine = scan.assessment.machine.certainty;
    // What is known of the machine apart from its workloads cannot be known better.
    let machine = Some(machine).filter(|certainty| *certainty > Certainty::Known);
    if let Some(least) = parts.chain(machine).max() {
        scan.assessment.certainty = least;
    }
    scan.proof = Some(proof);
}
