import { NativeSelect, Tabs } from '@mantine/core'
import { Suspense, type ComponentType } from 'react'
import { useAccount } from '../app/session'
import { useSearch } from '../app/search'
import { needed } from '../logic/roles'
import { Empty, Waiting } from './State'

/** A part of a view that is one of several; it is made when it is first gone to. */
export interface TabInUrl {
  value: string
  label: string
  view: ComponentType
  /** What it takes to see anything of it. */
  needs?: string
}

/** Parts of a view, one at a time, by `tab` in the URL. */
export function TabsInUrl({ tabs, label }: { tabs: TabInUrl[]; label: string }) {
  const [search, set] = useSearch()
  const { permissions } = useAccount()
  const active = tabs.find((tab) => tab.value === search.tab) ?? tabs[0]
  // What a part filters by means nothing to another.
  const go = (tab: string | null) => {
    const nothing = Object.fromEntries(Object.keys(search).map((name) => [name, undefined]))
    set({ ...nothing, tab: tab ?? undefined })
  }
  if (!active) return null
  return (
    <Tabs value={active.value} onChange={go} keepMounted={false}>
      <NativeSelect
        label={label} hiddenFrom="sm" mb="md" value={active.value} onChange={(event) => go(event.currentTarget.value)}
        data={tabs.map((tab) => ({ value: tab.value, label: tab.label }))}
      />
      <Tabs.List visibleFrom="sm" mb="md" aria-label={label}>
        {tabs.map((tab) => <Tabs.Tab key={tab.value} value={tab.value}>{tab.label}</Tabs.Tab>)}
      </Tabs.List>
      {tabs.map(({ value, view: View, needs }) => (
        <Tabs.Panel key={value} value={value}>
          {needs !== undefined && !permissions.includes(needs)
            ? <Empty title="This is not for your role">{needed(needs)}</Empty>
            : <Suspense fallback={<Waiting rows={6} />}><View /></Suspense>}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
