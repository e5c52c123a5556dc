import { lazy } from 'react'
import { Page } from '../../parts/Page'
import { TabsInUrl, type TabInUrl } from '../../parts/TabsInUrl'

const tabs: TabInUrl[] = [
  {
    value: 'account', label: 'Account',
    view: lazy(() => import('./Account').then((part) => ({ default: part.Account }))),
  },
  {
    value: 'users', label: 'Users', needs: 'identity.manage',
    view: lazy(() => import('./Users').then((part) => ({ default: part.Users }))),
  },
  {
    value: 'keys', label: 'API keys', needs: 'identity.manage',
    view: lazy(() => import('./Keys').then((part) => ({ default: part.Keys }))),
  },
  {
    value: 'oidc', label: 'Identity providers', needs: 'identity.manage',
    view: lazy(() => import('./Oidc').then((part) => ({ default: part.Oidc }))),
  },
  {
    value: 'environments', label: 'Environments', needs: 'estate.read',
    view: lazy(() => import('./Environments').then((part) => ({ default: part.Environments }))),
  },
  {
    value: 'connections', label: 'Connections', needs: 'estate.read',
    view: lazy(() => import('./Connections').then((part) => ({ default: part.Connections }))),
  },
  {
    value: 'credentials', label: 'Credentials', needs: 'estate.read',
    view: lazy(() => import('./Credentials').then((part) => ({ default: part.Credentials }))),
  },
  {
    value: 'sources', label: 'Alert sources', needs: 'alert_rules.read',
    view: lazy(() => import('./Sources').then((part) => ({ default: part.Sources }))),
  },
  {
    value: 'channels', label: 'Notifications', needs: 'settings.read',
    view: lazy(() => import('./Channels').then((part) => ({ default: part.Channels }))),
  },
  {
    value: 'retention', label: 'Retention', needs: 'retention.read',
    view: lazy(() => import('./Retention').then((part) => ({ default: part.Retention }))),
  },
  {
    value: 'tenant', label: 'Tenant', needs: 'settings.read',
    view: lazy(() => import('./Tenant').then((part) => ({ default: part.Tenant }))),
  },
]

/** People, keys, where things are and how they are reached. */
export function Settings() {
  return (
    <Page title="Settings" about="People and keys, what is reached and how, and how long what is kept.">
      <TabsInUrl tabs={tabs} label="Part of the settings" />
    </Page>
  )
}
