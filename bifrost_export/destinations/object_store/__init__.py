"""What all object stores share: commit, manifests, overlap, checks."""
