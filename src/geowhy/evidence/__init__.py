"""What is known of a place beside what the image's features say: a file for each field."""

from geowhy.evidence.field import RULED_OUT, EvidenceField, FieldPlaces, FieldTerm
from geowhy.evidence.region import RegionPrior

__all__ = ["RULED_OUT", "EvidenceField", "FieldPlaces", "FieldTerm", "RegionPrior"]
