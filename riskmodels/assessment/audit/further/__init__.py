"""What the audit shows beside its verdicts: longer and shorter lists, age, pooled rates, exclusions, proxies."""
