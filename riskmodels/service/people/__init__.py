"""What a batch said of each person: kept where only its owner may read it, so that a person who asks can be told."""
