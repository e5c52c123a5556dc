import type { Option } from '../../logic/fields'

/** What the quota of a key is counted by. */
export const tiers: Option[] = ['free', 'pro', 'premium', 'enterprise'].map((tier) => ({ value: tier, label: tier }))
