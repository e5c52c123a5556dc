import { lazy } from 'react'
import { Page } from '../../parts/Page'
import { TabsInUrl, type TabInUrl } from '../../parts/TabsInUrl'

const tabs: TabInUrl[] = [
  {
    value: 'policies', label: 'Policies', needs: 'policy.read',
    view: lazy(() => import('./Policies').then((part) => ({ default: part.Policies }))),
  },
  {
    value: 'windows', label: 'Windows', needs: 'policy.read',
    view: lazy(() => import('./Windows').then((part) => ({ default: part.Windows }))),
  },
  {
    value: 'limits', label: 'Rate limits', needs: 'policy.read',
    view: lazy(() => import('./Limits').then((part) => ({ default: part.Limits }))),
  },
  {
    value: 'breakers', label: 'Breakers', needs: 'policy.read',
    view: lazy(() => import('./Breakers').then((part) => ({ default: part.Breakers }))),
  },
  {
    value: 'exceptions', label: 'Exceptions', needs: 'policy.read',
    view: lazy(() => import('./Exceptions').then((part) => ({ default: part.Exceptions }))),
  },
  {
    value: 'authority', label: 'Authority', needs: 'plans.read',
    view: lazy(() => import('./Authority').then((part) => ({ default: part.Authority }))),
  },
]

/** What holds changes back, and what lets them through: policies, windows, limits, breakers, exceptions. */
export function Governance() {
  return (
    <Page title="Governance" about="What holds changes back, and what lets them through.">
      <TabsInUrl tabs={tabs} label="Part of governance" />
    </Page>
  )
}
