import {
  ActionIcon, AppShell, Badge, Burger, Group, Menu, NavLink, Text, Tooltip, useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import {
  IconActivity, IconKeyboard, IconLogout, IconMoon, IconSearch, IconSun, IconUser,
} from '@tabler/icons-react'
import { notifications } from '@mantine/notifications'
import { spotlight } from '@mantine/spotlight'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { api, signedOut } from '../api/client'
import { asProblem } from '../api/problem'
import { get } from '../api/queries'
import { shown } from '../logic/visible'
import { Outside } from '../parts/Outside'
import { Activity } from './Activity'
import { useArrived } from './arrived'
import { Connection } from './Connection'
import { Help } from './Help'
import { typing, useKeys } from './keys'
import { LiveProvider } from './live'
import { Palette } from './Palette'
import { places } from './places'
import { useAccount } from './session'

/** What surrounds every view. */
export function Shell() {
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  )
}

function Frame() {
  const [open, { toggle, close }] = useDisclosure(false)
  const [help, helping] = useDisclosure(false)
  const [activity, acting] = useDisclosure(false)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const going = useRef(0)

  const keys: Record<string, (event: KeyboardEvent) => void | false> = {
    '?': helping.open,
    '/': () => spotlight.open(),
    g: () => void (going.current = Date.now()),
  }
  for (const place of places) {
    // Without a `g` before it the key is the view's.
    keys[place.key] = () => {
      if (Date.now() - going.current > 1_500) return false
      going.current = 0
      void navigate({ to: place.to })
    }
  }
  useKeys(keys)

  useEffect(close, [pathname, close])
  const shownPath = useArrived() ?? pathname
  const here = places.find((place) => place.to !== '/' && shownPath.startsWith(place.to))?.label
  // Before a view's own effects: its title stands above the place's, which is there while it has none.
  useLayoutEffect(() => {
    document.title = `${here ?? (shownPath === '/' ? 'Inbox' : 'Countersign')} · Countersign`
  }, [here, shownPath])
  useFocusOnArrival()

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'md', collapsed: { mobile: !open } }}
      padding={{ base: 'sm', md: 'lg' }}
    >
      <a className="skip" href="#main">Skip to the content</a>
      <AppShell.Header>
        <Group h="100%" px="sm" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Navigation" />
            <Text component={Link} to="/" fw={750} size="lg" c="inherit" td="none" visibleFrom="xs">Countersign</Text>
            <Connection />
          </Group>
          <Group gap={4} wrap="nowrap">
            <Bar label="Search and commands (Ctrl K)" icon={<IconSearch size={18} />} onClick={() => spotlight.open()} />
            <Bar label="What happens" icon={<IconActivity size={18} />} onClick={acting.open} />
            <Bar label="Keys (?)" icon={<IconKeyboard size={18} />} onClick={helping.open} />
            <Scheme />
            <Me />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Places">
        <Places pathname={pathname} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </AppShell.Main>
      <Palette />
      <Help opened={help} onClose={helping.close} />
      <Activity opened={activity} onClose={acting.close} />
    </AppShell>
  )
}

/**
 * Whoever goes to another view goes on at its beginning: what had the focus is gone with the view before. A change of
 * the query alone leaves it, and so does a field of the new view that already took it.
 */
function useFocusOnArrival() {
  const arrived = useArrived()
  const before = useRef<string>(undefined)
  useEffect(() => {
    if (arrived === undefined || arrived === before.current) return
    const first = before.current === undefined
    before.current = arrived
    const main = document.getElementById('main')
    if (first || !main || (main.contains(document.activeElement) && typing(document.activeElement))) return
    main.focus({ preventScroll: true })
  }, [arrived])
}

function Places({ pathname }: { pathname: string }) {
  const waiting = useQuery(get('/api/v1/dashboard')).data?.waiting
  const count = waiting
    ? waiting.approvals + waiting.needs_human + waiting.open_breakers + waiting.rollback_failed
    : 0
  return places.map(({ to, label, icon: Icon }) => {
    const active = to === '/' ? pathname === '/' : pathname.startsWith(to)
    return (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={label}
        active={active}
        aria-current={active ? 'page' : undefined}
        leftSection={<Icon size={18} aria-hidden />}
        rightSection={to === '/' && count > 0 ? <Badge size="sm" circle={count < 10}>{count}</Badge> : undefined}
      />
    )
  })
}

function Bar({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" onClick={onClick} aria-label={label}>{icon}</ActionIcon>
    </Tooltip>
  )
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Light or dark"><IconSun size={18} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={scheme === 'dark' ? <IconMoon size={16} /> : <IconSun size={16} />}
            onClick={() => setColorScheme(scheme)}
            fw={colorScheme === scheme ? 700 : undefined}
          >
            {scheme === 'auto' ? 'As the system' : scheme === 'light' ? 'Light' : 'Dark'}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Me() {
  const account = useAccount()
  const queries = useQueryClient()
  const leave = async () => {
    try {
      await api.POST('/api/v1/logout', {})
    } catch (error) {
      const problem = asProblem(error)
      // Whose session is over is signed out.
      if (problem.status !== 401) {
        notifications.show({
          color: 'red', title: 'You are still signed in',
          message: `Signing out did not work. ${problem.message}. Try again before you leave this machine.`,
          autoClose: false,
        })
        return
      }
    }
    // Going back could show the page as it was left: what it kept is gone by then.
    signedOut.dispatchEvent(new Event('signed-out'))
    queries.clear()
    window.location.assign('/')
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${shown(account.display_name)}`}>
          <IconUser size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label><Outside>{account.display_name}</Outside>: {account.roles.join(', ') || 'no role'}</Menu.Label>
        <Menu.Item component={Link} to="/settings" search={{ tab: 'account' } as never} leftSection={<IconUser size={16} />}>
          Password, second factor, keys
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
