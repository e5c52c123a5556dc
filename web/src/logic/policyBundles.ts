import type { Schema } from '../api/client'

/** The id that the bundle that ships has in the URL: ids of others begin otherwise. */
export const SHIPPED = 'shipped'

/** A bundle in the list: one of the tenant's own, or the one that ships. */
export interface ListedBundle {
  id: string
  /** What it is called, with its version where it has one. */
  title: string
  hash: string
  /** Whether it decides; one of them does. */
  decides: boolean
  /** What is known of one of the tenant's own. */
  own?: Schema<'BundleOut'>
}

/**
 * All bundles, the tenant's own first. Of those that were ever activated the last one decides; where
 * none was, the one that ships.
 */
export function bundlesOf(
  own: Schema<'BundleOut'>[], shipped: Pick<Schema<'ShippedBundleOut'>, 'hash' | 'decides'> | undefined,
): ListedBundle[] {
  const activated = own.filter((bundle) => bundle.active_from)
  const since = (bundle: Schema<'BundleOut'>) => Date.parse(bundle.active_from ?? '')
  const active = activated.reduce<Schema<'BundleOut'> | undefined>(
    (last, one) => (last && since(last) >= since(one) ? last : one), undefined,
  )
  const listed: ListedBundle[] = own.map((bundle) => ({
    id: bundle.id,
    title: `${bundle.name} ${bundle.version}`,
    hash: bundle.hash,
    decides: bundle.id === active?.id,
    own: bundle,
  }))
  if (shipped) {
    listed.push({ id: SHIPPED, title: 'the one that ships', hash: shipped.hash, decides: shipped.decides && !active })
  }
  return listed
}
