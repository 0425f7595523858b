"""Fields of evidence: what is known of a place beside what the image's features say."""
